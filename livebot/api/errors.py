"""Errors to answers: one table, one place."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from livebot import logs
from livebot.errors import (
    BusyError,
    LivebotError,
    NotFoundError,
    RequestError,
    UnsupportedLanguageError,
)

log = logs.get("api")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER_S = 30

_STATUS: dict[type[LivebotError], int] = {
    RequestError: 400,
    NotFoundError: 404,
    BusyError: 503,
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


def _known(exc: LivebotError) -> web.Response:
    status = next((_STATUS[kind] for kind in type(exc).__mro__ if kind in _STATUS), 500)
    if status >= web.HTTPInternalServerError.status_code and not isinstance(exc, BusyError):
        log.error("request_failed", error=str(exc), kind=type(exc).__name__)
        return _error(status, "internal error")
    if isinstance(exc, UnsupportedLanguageError):
        return _error(status, str(exc), supported=list(exc.supported))
    answer = _error(status, str(exc))
    if isinstance(exc, BusyError):
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _http(exc: web.HTTPException) -> web.Response:
    """Say what aiohttp says, as JSON: 404, 405, 413 and the like."""
    answer = _error(exc.status, exc.reason)
    for header in ("Allow", "WWW-Authenticate"):
        if header in exc.headers:
            answer.headers[header] = exc.headers[header]
    return answer


def _error(status: int, text: str, **more: object) -> web.Response:
    return web.json_response({"error": text, **more}, status=status)
