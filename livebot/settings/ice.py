"""STUN and TURN servers: the list that Talk, the API's callers and the settings use."""

import re
from dataclasses import dataclass, field

_URL = re.compile(
    r"(?:stuns?|turns?):[A-Za-z0-9._-]{1,253}(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?:udp|tcp))?"
)
"""What aiortc understands of RFC 7064 and 7065: no IPv6 literals."""

_MAX_SERVERS = 32
_MAX_URLS = 16
_MAX_PORT = 65535
_MAX_TEXT = 508
"""Bytes of UTF-8: RFC 8489 allows no longer user names."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server, possibly under several addresses; the credential stays out of its repr."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """Where its addresses lead, in small letters."""
        return frozenset(url.split(":")[1].partition("?")[0].lower() for url in self.urls)


def parse_ice_servers(value: object) -> tuple[IceServer, ...]:
    """Read a list like Talk's: objects with `urls` (or `url`), `username`, `credential`.

    Raises:
        ValueError: It is none; the text says what is wrong and quotes no value.
    """
    if isinstance(value, tuple) and all(isinstance(server, IceServer) for server in value):
        return value
    if not isinstance(value, list):
        raise ValueError("must be a list of servers")  # noqa: TRY004  # pydantic wants it
    if len(value) > _MAX_SERVERS:
        raise ValueError(f"must not have more than {_MAX_SERVERS} servers")
    return tuple(_server(number, item) for number, item in enumerate(value, 1))


def _server(number: int, item: object) -> IceServer:
    if not isinstance(item, dict):
        raise ValueError(f"server {number} must be an object")  # noqa: TRY004  # as above
    urls = item.get("urls", item.get("url"))
    return IceServer(
        urls=_urls(number, [urls] if isinstance(urls, str) else urls),
        username=_text(number, "username", item.get("username")),
        credential=_text(number, "credential", item.get("credential")),
    )


def _urls(number: int, urls: object) -> tuple[str, ...]:
    if not isinstance(urls, list) or not 0 < len(urls) <= _MAX_URLS:
        raise ValueError(f"server {number} needs urls: a text, or a list of 1 to {_MAX_URLS}")
    for url in urls:
        found = _URL.fullmatch(url) if isinstance(url, str) else None
        if found is None or not 0 < int(found["port"] or 1) <= _MAX_PORT:
            raise ValueError(
                f"server {number} has a URL that is not like stun:host:port,"
                " turn:host:port?transport=udp or turns:host:port"
            )
    # Only TURN has a transport; aiortc refuses every offer where STUN is given one.
    return tuple(url.partition("?")[0] if url.startswith("stun") else url for url in urls)


def _text(number: int, key: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        # What is longer does not fit into TURN's messages, or cannot be encoded for them.
        if value and (len(value.encode(errors="replace")) > _MAX_TEXT or not value.isprintable()):
            raise ValueError(f"server {number}: {key} must be up to {_MAX_TEXT} plain characters")
        return value or None
    raise ValueError(f"server {number}: {key} must be a text")
