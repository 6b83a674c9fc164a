"""Errors to answers: one table, one place."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Middleware
from msgspec import UNSET

from livebot import logs
from livebot.api.connections import hold
from livebot.api.replies import reply
from livebot.api.routes import Route
from livebot.api.schemas import Error
from livebot.errors import (
    BusyError,
    LivebotError,
    NextcloudError,
    NotAReaderError,
    NotFoundError,
    QuotaError,
    RequestError,
    StoreError,
    TranslationError,
    TranslationUnavailableError,
    UnsupportedLanguageError,
)

log = logs.get("api")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER_S = 30

HANDLER_S = 2.8
"""Nextcloud waits 3 s for an answer. Handlers do not wait for peers; this is the net."""

NO_TRANSLATION = 550
"""By which Talk knows that there is no translator, and stops asking."""

_STATUS: dict[type[LivebotError], int] = {
    RequestError: 400,
    NotFoundError: 404,
    NotAReaderError: 412,
    QuotaError: 429,
    BusyError: 503,
    NextcloudError: 503,
    StoreError: 503,
    TranslationError: 503,
    TranslationUnavailableError: NO_TRANSLATION,
}
"""A subclass goes like its parent; what is not here is not the caller's business: 500."""


@web.middleware
async def errors_to_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a JSON answer."""
    try:
        return await handler(request)
    except LivebotError as exc:
        return _known(exc)
    except web.HTTPException as exc:
        return _http(exc)
    except Exception:
        # The outermost edge: the caller learns nothing, the log everything.
        log.exception("request_failed", method=request.method)
        return _error(500, "internal error")


def within_deadline(routes: Iterable[Route]) -> Middleware:
    """Return the middleware that gives up what takes too long, but for routes that may."""
    long = {(route.method, route.path) for route in routes if route.is_long}

    @web.middleware
    async def hurry(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is not None and (request.method, resource.canonical) in long:
            hold(request)
            return await handler(request)
        return await _hurried(request, handler)

    return hurry


async def _hurried(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer within the time.

    Raises:
        BusyError: It took longer.
    """
    deadline = asyncio.timeout(HANDLER_S)
    try:
        async with deadline:
            return await handler(request)
    except TimeoutError:
        if not deadline.expired():
            raise
        log.warning("request_took_too_long", method=request.method, seconds=HANDLER_S)
        raise BusyError(f"no answer within {HANDLER_S:g} s; try again later") from None


def _known(exc: LivebotError) -> web.Response:
    status = next((_STATUS[kind] for kind in type(exc).__mro__ if kind in _STATUS), None)
    if status is None:
        log.error("request_failed", error=str(exc), kind=type(exc).__name__)
        return _error(500, "internal error")
    supported = list(exc.supported) if isinstance(exc, UnsupportedLanguageError) else UNSET
    answer = reply(Error(str(exc), supported), status=status)
    if status in {web.HTTPTooManyRequests.status_code, web.HTTPServiceUnavailable.status_code}:
        retry_in_s = exc.retry_in_s if isinstance(exc, QuotaError) else RETRY_AFTER_S
        answer.headers["Retry-After"] = str(max(1, math.ceil(retry_in_s)))
    return answer


def _http(exc: web.HTTPException) -> web.Response:
    """Say what aiohttp says, as JSON: 404, 405, 413 and the like."""
    answer = _error(exc.status, exc.reason)
    for header in ("Allow", "WWW-Authenticate"):
        if header in exc.headers:
            answer.headers[header] = exc.headers[header]
    return answer


def _error(status: int, text: str) -> web.Response:
    return reply(Error(text), status=status)
