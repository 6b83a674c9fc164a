"""Checks of single settings. What they raise never quotes the value: it may be a secret."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ByteSize, SecretStr, TypeAdapter
from pydantic_settings import NoDecode

from livebot.settings.ice import IceServer, parse_ice_servers
from livebot.settings.problems import SettingError
from livebot.settings.text import json_value, words
from livebot.settings.urls import check

_MOST = 100
_HOST = re.compile(r"[a-z0-9._-]{1,253}")
_SIZE = TypeAdapter(ByteSize)
_LEAST_BYTES, _MOST_BYTES = 128 << 20, 1 << 50
_ORIGIN = re.compile(r"https?://[a-z0-9._-]{1,253}(:[0-9]{1,5})?")


def _ice_servers(value: object) -> object:
    return parse_ice_servers(json_value(value) if isinstance(value, str) else value)


def _hosts(value: object) -> tuple[str, ...]:
    """Read names of hosts; a port or a URL is not one."""
    found = tuple(word.lower() for word in words(value))
    if len(found) > _MOST or not all(_HOST.fullmatch(host) for host in found):
        raise SettingError(f"must be up to {_MOST} names of hosts, without ports")
    return found


def _origins(value: object) -> tuple[str, ...]:
    """Read origins as browsers send them; `*` would be every page of the world."""
    found = tuple(word.lower().rstrip("/") for word in words(value))
    if len(found) > _MOST or not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise SettingError(f"must be up to {_MOST} origins like https://host, and no *")
    return found


def _paths(value: object) -> tuple[Path, ...]:
    """Read folders. Whether they exist is seen when they are used: disks come and go."""
    found = tuple(words(value))
    if len(found) > _MOST or not all(path.startswith("/") and "\0" not in path for path in found):
        raise SettingError(f"must be up to {_MOST} absolute paths")
    return tuple(Path(path) for path in found)


def _memory(value: object) -> int:
    """Read a size in bytes. With less than the least, Python and a model do not even start."""
    try:
        # To pydantic, true is 1.
        found = int(_SIZE.validate_python("" if isinstance(value, bool) else value))
    except (ValueError, OverflowError):
        # Without pydantic's words, which quote the value.
        raise SettingError("is not a size") from None
    if found and not _LEAST_BYTES <= found <= _MOST_BYTES:
        raise SettingError("is too small" if found < _LEAST_BYTES else "is too large")
    return found


def _engines(value: str) -> str:
    """Check a list of engines: each once, and `auto` alone. Whether they exist is seen later."""
    names = [name.strip() for name in value.split(",")]
    if len(set(names)) < len(names):
        raise ValueError("names an engine twice")
    if "auto" in names and len(names) > 1:
        raise ValueError("names auto and other engines")
    return ",".join(names)


def _plain(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isprintable():
        raise SettingError("must be plain characters")
    return secret


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _socket_url(url: str) -> str:
    return check(url, "ws", "wss")


def _web_url(url: str) -> str:
    return check(url, "http", "https")


def _mirror(url: str) -> str:
    return check(url, "http", "https").rstrip("/") if url else ""


def _database_url(secret: SecretStr) -> SecretStr:
    """Check what kind of database it is; the rest is seen when it is opened."""
    url = secret.get_secret_value()
    if url and not url.isprintable():
        raise SettingError("must be plain characters")
    if url and not re.match(r"(sqlite|postgresql|postgres):/", url):
        raise SettingError("must begin with postgresql:// or sqlite:///")
    return secret


def _any_url(url: str) -> str:
    return check(url, "ws", "wss", "http", "https")


SocketUrl = Annotated[str, AfterValidator(_socket_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
AnyUrl = Annotated[str, AfterValidator(_any_url)]
Mirror = Annotated[str, AfterValidator(_mirror)]
Engines = Annotated[str, AfterValidator(_engines)]
Secret = Annotated[SecretStr, AfterValidator(_plain)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
Lowered = BeforeValidator(_lower)
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
IceServers = Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(_ice_servers)]
Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)]
Memory = Annotated[ByteSize, BeforeValidator(_memory)]
