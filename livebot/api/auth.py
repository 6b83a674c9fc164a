"""Who may call: decided by the table of routes, before any handler runs."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from livebot import logs
from livebot.api.browsers import refuse_foreign_sockets, refuse_pages
from livebot.api.callers import ANONYMOUS, Caller, Callers
from livebot.api.errors import Handler
from livebot.api.limits import FailureLimits, RequestLimits
from livebot.api.routes import Access, Route
from livebot.errors import QuotaError
from livebot.rooms.token_bucket import TokenBucket
from livebot.settings import Settings
from livebot.store.records import Scope, Share

log = logs.get("api")

_CALLER = web.RequestKey("caller", Caller)
_OBSERVER = web.RequestKey("observer", Caller)
_SHARE = web.RequestKey("share", Share)

SHARE_HEADER = "Livebot-Share"

FindShare: TypeAlias = Callable[[str], Awaitable[Share | None]]
"""Says what a link's token opens now; None where it opens nothing."""


def caller(request: web.Request) -> Caller:
    """Return who calls; `anonymous` where nobody needs to say."""
    found: Caller = request.get(_CALLER, ANONYMOUS)
    return found


def scope(request: web.Request) -> Scope:
    """Return what the caller may see of what is kept."""
    who = caller(request)
    # No name has a line break, so no key of all backends is taken for one of a single backend.
    owner = who.name if who.backend is None else f"{who.name}\n{who.backend}"
    return Scope(owner=owner, backend=who.backend)


def observer(request: web.Request) -> Caller | None:
    """Return who may see figures, where anybody may ask; None for a stranger."""
    return request.get(_OBSERVER)


def share(request: web.Request) -> Share | None:
    """Return the link by which somebody without a key reads; what it is of is to be checked."""
    return request.get(_SHARE)


async def _no_share(_: str) -> Share | None:
    return None


def guard(
    settings: Settings,
    routes: Sequence[Route],
    *,
    redeem: Callable[[str], Caller | None] = lambda _: None,
    find_share: FindShare = _no_share,
) -> Middleware:
    """Return the middleware that lets everybody use what the table allows them.

    Paths that are not in the table are guarded like calls: who has no credentials learns
    nothing about them.

    Args:
        settings: Of the whole service.
        routes: The table.
        redeem: Says whose ticket it is, once.
        find_share: Says what a link's token opens.
    """
    door = _Door(settings, routes)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        access = door.guests(request)
        guest = None
        if access is Access.LIVE and "ticket" in request.query:
            guest = redeem(request.query["ticket"])
        elif access is Access.SHARED and (token := _share_token(request)):
            opened = await door.opened(token, find_share)
            if opened is not None:
                request[_SHARE] = opened
                guest = Caller(f"share {opened.id}", NOBODYS)
        request[_CALLER] = door.admit(request, time.monotonic(), guest)
        if (found := door.observer(request)) is not None:
            request[_OBSERVER] = found
        return await handler(request)

    return check


GUESSES = 20
"""Tokens of links that open nothing, per second, from all addresses together."""

NOBODYS = ""
"""The name of no backend: whoever comes by a link sees what it is of, and nothing else."""


def _share_token(request: web.Request) -> str:
    return request.headers.get(SHARE_HEADER) or request.query.get("share", "")


class _Door:
    """Decides about each request; see `guard()`."""

    def __init__(self, settings: Settings, routes: Sequence[Route]) -> None:
        self._callers = Callers(settings)
        self._origins = frozenset(settings.cors_origins)
        # As an app we are reached through a tunnel, which ends on this machine.
        self._local = settings.bind.is_local and not settings.is_app
        self._keyless = settings.allow_anonymous or (self._local and not self._callers)
        self._open_metrics = settings.open_metrics
        self._table = {(route.method, route.path): route.access for route in routes}
        self._open = {route.path for route in routes if route.access is Access.OPEN}
        self._requests = RequestLimits(_per_minute(settings))
        self._failures = FailureLimits()
        self._guesses = TokenBucket(GUESSES, GUESSES)

    async def opened(self, token: str, find_share: FindShare) -> Share | None:
        """Return what a link's token opens.

        Raises:
            QuotaError: Strangers try too many: the database has other things to do.
        """
        now = time.monotonic()
        if not self._guesses.has(now):
            raise QuotaError("too many links that open nothing", retry_in_s=1.0)
        found = await find_share(token)
        if found is None:
            self._guesses.take(now)
        return found

    def guests(self, request: web.Request) -> Access | None:
        """Return what others than those who are known may show; None where they may not come."""
        if self._callers.find(request.headers) is not None:
            return None
        return self._access(request)

    def admit(self, request: web.Request, now: float, guest: Caller | None = None) -> Caller:
        """Return who calls; `guest` where it is somebody who showed something else than a key.

        Raises:
            HTTPUnauthorized: Whoever it is may not.
            HTTPForbidden: A web page may not.
            QuotaError: Not so often.
        """
        access = self._access(request)
        if access is Access.OPEN:
            return ANONYMOUS
        found = guest or self._identify(request, access, now)
        if hdrs.UPGRADE in request.headers:
            refuse_foreign_sockets(request, self._origins)
        self._requests.count(found, now)
        return found

    def observer(self, request: web.Request) -> Caller | None:
        """Return who may see figures, also where nobody needs to say; None for a stranger."""
        found = self._callers.find(request.headers)
        if found is not None or self._callers.shows_any(request.headers):
            return found
        if self._open_metrics:
            return ANONYMOUS
        if not (self._keyless or self._local):
            return None
        try:
            refuse_pages(request, local=self._local, origins=self._origins)
        except web.HTTPForbidden:
            return None
        return ANONYMOUS

    def _access(self, request: web.Request) -> Access:
        """Return who may use the route of a request."""
        route = request.match_info.route
        if request.match_info.http_exception is not None or route.resource is None:
            # A wrong method on an open path may be told to be one.
            return Access.OPEN if request.path in self._open else Access.CALLER
        method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
        # What is served but not in the table is nobody's.
        return self._table.get((method, route.resource.canonical), Access.APP)

    def _identify(self, request: web.Request, access: Access, now: float) -> Caller:
        found = self._callers.find(request.headers)
        if found is None:
            return self._nobody(request, access, now)
        if access is Access.APP and not found.is_nextcloud:
            self._refuse(request, now)
        return found

    def _nobody(self, request: web.Request, access: Access, now: float) -> Caller:
        """Decide about a request without the right credentials."""
        if self._callers.shows_any(request.headers):
            self._refuse(request, now)
        if access is Access.OBSERVER and self._open_metrics:
            return ANONYMOUS
        at_home = access is Access.OBSERVER and self._local
        if access is Access.APP or not (self._keyless or at_home):
            self._refuse(request, now)
        refuse_pages(request, local=self._local, origins=self._origins)
        return ANONYMOUS

    def _refuse(self, request: web.Request, now: float) -> NoReturn:
        """Refuse; too many refusals are neither told apart nor logged.

        Raises:
            HTTPUnauthorized: Always; but
            QuotaError: Too many came from there.
        """
        self._failures.count(request.remote, now)
        log.warning("caller_refused", method=request.method)
        raise web.HTTPUnauthorized(
            reason="a key is needed: Authorization: Bearer KEY",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _per_minute(settings: Settings) -> Callable[[Caller], int]:
    """Return who may ask how often."""
    backends = settings.per_backend()

    def per_minute(whose: Caller) -> int:
        its = backends.get(whose.backend or NOBODYS, settings)
        return its.quota(whose.name).requests_per_minute

    return per_minute
