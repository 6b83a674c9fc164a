"""Who is not calling: web pages, where no key keeps them out.

Any page that somebody on this machine looks at can send requests to 127.0.0.1. A page of
another site betrays itself by `Origin`; one that had its own host name pointed here (DNS
rebinding) counts as the same site to the browser, and betrays itself by `Host`.
"""

from urllib.parse import urlsplit

from aiohttp import web

from livebot.settings.urls import is_loopback


def refuse_pages(request: web.Request, *, local: bool) -> None:
    """Refuse a request without a key that a web page may have sent.

    Args:
        request: The request.
        local: Whether only this machine is served, so that its names are known.

    Raises:
        HTTPForbidden: A page may have.
    """
    if "Origin" in request.headers:
        raise web.HTTPForbidden(reason="not for web pages; for others, set LT_API_KEYS")
    if local and not is_loopback(_host_name(request)):
        raise web.HTTPForbidden(reason="call it 127.0.0.1 or localhost, or set LT_API_KEYS")


def _host_name(request: web.Request) -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""
