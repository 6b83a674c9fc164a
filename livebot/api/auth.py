"""Who is calling: bearer keys."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Middleware

from livebot import logs
from livebot.api.browsers import refuse_pages
from livebot.api.errors import Handler
from livebot.settings import Settings
from livebot.settings.urls import is_loopback

log = logs.get("api")

OPEN = frozenset({"/healthz", "/readyz"})
"""For whoever keeps the service running; they tell nothing about anybody."""

ANONYMOUS = "anonymous"
_CALLER = web.RequestKey("caller", str)


def caller(request: web.Request) -> str:
    """Return the name of the key that the caller showed, or `anonymous`."""
    name: str = request.get(_CALLER, ANONYMOUS)
    return name


def require_key(settings: Settings) -> Middleware:
    """Return the middleware that lets nobody in without a key, where one is needed.

    None is needed where the service listens to this machine only and has no keys, or where
    `LT_ALLOW_ANONYMOUS` says so. Where there are keys but only this machine is served,
    `/metrics` stays open to it. Where no key is needed, web pages are kept out all the same.
    """
    local = is_loopback(settings.host)
    keyless = settings.allow_anonymous or (local and not settings.api_keys)
    unguarded = OPEN | {"/metrics"} if local else OPEN
    keys = {key.name: key.key.get_secret_value().encode() for key in settings.api_keys}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = _match(request.headers.get("Authorization", ""), keys)
        if name is not None:
            request[_CALLER] = name
        elif keyless:
            if request.path not in OPEN:
                refuse_pages(request, local=local)
        elif request.path not in unguarded:
            log.warning("caller_refused", method=request.method)
            raise web.HTTPUnauthorized(
                reason="a key is needed: Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    return check


def _match(header: str, keys: dict[str, bytes]) -> str | None:
    """Return the name of the key in the header; equally fast whatever is wrong with it."""
    scheme, _, shown = header.partition(" ")
    given = shown.strip().encode("utf-8", "surrogateescape")
    found = None
    for name, key in keys.items():
        if hmac.compare_digest(given, key):
            found = name
    return found if scheme.lower() == "bearer" else None
