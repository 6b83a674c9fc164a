"""URLs: checked, and the ones that follow from that of the signaling server."""

from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

_SOCKET = {"http": "ws", "https": "wss"}
_WEB = {"ws": "http", "wss": "https"}


def check(url: str, *schemes: str) -> str:
    """Return `url` if it is one of these schemes, with a host and no password.

    Raises:
        ValueError: It is not; the text does not quote it.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must begin with {' or '.join(f'{s}://' for s in schemes)} and a host")
    if not url.isprintable() or " " in url:
        raise ValueError("must not contain blanks or control characters")
    if parts.username or parts.password:
        raise ValueError("must not contain a user or password")
    return url


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hpb_socket(url: str) -> str:
    """Return the signaling server's WebSocket: `wss://host/spreed`, with any prefix kept."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/spreed") + "/spreed"
    return urlunsplit((_SOCKET.get(parts.scheme, parts.scheme), parts.netloc, path, "", ""))


def backend_of_hpb(url: str) -> str:
    """Return the Nextcloud of a signaling server that lives on the same host."""
    parts = urlsplit(url)
    path = parts.path.partition("/standalone-signaling")[0].rstrip("/").removesuffix("/spreed")
    return urlunsplit((_WEB.get(parts.scheme, parts.scheme), parts.netloc, path + "/", "", ""))
