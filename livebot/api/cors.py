"""Pages of other origins that may use the API from a browser: those which LT_CORS_ORIGINS names.

Without any, nothing is said about origins, and browsers let no page read an answer. Keys come
in a header of the page's own, so browsers are never told to send cookies or the like.
"""

from collections.abc import Collection

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from livebot.api.errors import Handler

METHODS = "GET, POST, PUT, DELETE"
HEADERS = "Authorization, Content-Type"
EXPOSED = "Retry-After, WWW-Authenticate"
MAX_AGE_S = 600


def allow_origins(app: web.Application, origins: Collection[str]) -> None:
    """Let pages of these origins in; nothing changes where there are none.

    Args:
        app: Not started yet.
        origins: As browsers send them, like `https://cloud.example.com`.
    """
    if not origins:
        return
    app.middlewares.insert(0, _preflights(frozenset(origins)))

    async def name_origin(request: web.Request, answer: web.StreamResponse) -> None:
        """Say with every answer, streams and errors included, who may read it."""
        answer.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if request.headers.get(hdrs.ORIGIN) in origins:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED

    app.on_response_prepare.append(name_origin)


def _preflights(origins: frozenset[str]) -> Middleware:
    """Return the middleware that answers what browsers ask before; nobody has a key then yet."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        known = request.headers.get(hdrs.ORIGIN) in origins
        if request.method != hdrs.METH_OPTIONS or not asked or not known:
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: HEADERS,
                hdrs.ACCESS_CONTROL_MAX_AGE: str(MAX_AGE_S),
            },
        )

    return answer
