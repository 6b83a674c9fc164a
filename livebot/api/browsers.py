"""Who is not calling: web pages, where no key keeps them out.

Any page that somebody on this machine looks at can send requests to 127.0.0.1. A page of
another site betrays itself by `Origin`; one that had its own host name pointed here (DNS
rebinding) counts as the same site to the browser, and betrays itself by `Host`.
"""

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from livebot.settings.urls import is_loopback

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""What a proxy adds, which brings in requests from anywhere."""


def refuse_pages(
    request: web.Request, *, local: bool, origins: Collection[str] = frozenset()
) -> None:
    """Refuse a request without a key that a web page may have sent.

    Args:
        request: The request.
        local: Whether only this machine is served, so that its names are known.
        origins: Those of pages that may.

    Raises:
        HTTPForbidden: A page may have; or it comes from another machine, through a proxy.
    """
    if local and not is_loopback(_parts(f"//{request.host}").hostname or ""):
        raise web.HTTPForbidden(reason="call it 127.0.0.1 or localhost, or set LT_API_KEYS")
    if local and any(header in request.headers for header in _PROXY_HEADERS):
        raise web.HTTPForbidden(reason="behind a proxy, set LT_API_KEYS")
    # On other machines our own names are not known, so a page may have pointed its own here.
    if is_foreign(request, origins) or (not local and _is_unlisted(request, origins)):
        raise web.HTTPForbidden(reason="not for web pages; for others, set LT_API_KEYS")


def refuse_foreign_sockets(request: web.Request, origins: Collection[str]) -> None:
    """Refuse a WebSocket that a page of another site opens: CORS does not keep it from that.

    Args:
        request: The request for an upgrade.
        origins: Those of pages that may, besides our own.

    Raises:
        HTTPForbidden: Such a page sends it.
    """
    if is_foreign(request, origins):
        raise web.HTTPForbidden(reason="this page may not open a WebSocket; see LT_CORS_ORIGINS")


def is_foreign(request: web.Request, origins: Collection[str]) -> bool:
    """Say whether a page sends this that is neither ours nor one of these origins."""
    if not _is_unlisted(request, origins):
        return False
    origin = _parts(request.headers["Origin"])
    if origin.scheme not in _PORTS or not origin.hostname:
        return True
    # Behind a proxy, TLS is the page's scheme but not ours.
    return _address(origin, origin.scheme) != _address(_parts(f"//{request.host}"), origin.scheme)


def _is_unlisted(request: web.Request, origins: Collection[str]) -> bool:
    """Say whether a page sends this, or several do, that is none of these origins."""
    sent = request.headers.getall("Origin", [])
    return bool(sent) and (len(sent) > 1 or sent[0] not in origins)


def _address(parts: SplitResult, scheme: str) -> tuple[str | None, int | None]:
    try:
        return parts.hostname, parts.port or _PORTS[scheme]
    except ValueError:
        return None, None


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
