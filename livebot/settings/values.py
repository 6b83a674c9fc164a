"""Checks of single settings. What they raise never quotes the value: it may be a secret."""

import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from livebot.settings.ice import IceServer, parse_ice_servers
from livebot.settings.urls import check

API_KEY_MIN = 16
"""Characters; a shorter key can be guessed."""


class ApiKey(BaseModel, frozen=True):
    """A key that a caller of the HTTP API shows, and the name that the log shows for it."""

    name: str
    key: SecretStr


def _api_keys(value: object) -> object:
    """Read `name:key,name2:key2`."""
    if not isinstance(value, str):
        return value
    keys: dict[str, ApiKey] = {}
    for item in filter(None, (part.strip() for part in value.split(","))):
        name, _, key = item.partition(":")
        if not name or len(key) < API_KEY_MIN:
            raise ValueError(f"each entry must be name:key, the key {API_KEY_MIN} characters long")
        if name in keys:
            raise ValueError("two entries have the same name")
        keys[name] = ApiKey(name=name, key=SecretStr(key))
    return tuple(keys.values())


def _ice_servers(value: object) -> object:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("is not JSON") from None
    return parse_ice_servers(value)


def _engines(value: str) -> str:
    """Check a list of engines: each once, and `auto` alone. Whether they exist is seen later."""
    names = [name.strip() for name in value.split(",")]
    if len(set(names)) < len(names):
        raise ValueError("names an engine twice")
    if "auto" in names and len(names) > 1:
        raise ValueError("names auto and other engines")
    return ",".join(names)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _socket_url(url: str) -> str:
    return check(url, "ws", "wss")


def _web_url(url: str) -> str:
    return check(url, "http", "https")


def _any_url(url: str) -> str:
    return check(url, "ws", "wss", "http", "https")


SocketUrl = Annotated[str, AfterValidator(_socket_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
AnyUrl = Annotated[str, AfterValidator(_any_url)]
Engines = Annotated[str, AfterValidator(_engines)]
Lowered = BeforeValidator(_lower)
ApiKeys = Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(_api_keys)]
IceServers = Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(_ice_servers)]
