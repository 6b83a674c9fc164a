"""Requests to a table of routes, without a socket."""

import base64
from collections.abc import Iterable, Mapping

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict

from livebot.api.auth import caller
from livebot.api.callers import Caller
from livebot.api.routes import Access, Route

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

CALLS = "/api/v1/call/transcribe"
LIVE = "/ws/transcribe"
SHARED = "/api/v1/transcripts/t"


async def _nothing(_: web.Request) -> web.StreamResponse:
    return web.Response()


def _route(method: str, path: str, access: Access) -> Route:
    return Route(method=method, path=path, handler=_nothing, access=access, summary="To test")


ROUTES = [
    _route("GET", "/healthz", Access.OPEN),
    _route("GET", "/metrics", Access.OBSERVER),
    _route("GET", CALLS, Access.CALLER),
    _route("POST", CALLS, Access.CALLER),
    _route("DELETE", CALLS + "/{roomToken}", Access.CALLER),
    _route("GET", LIVE, Access.LIVE),
    _route("GET", SHARED, Access.SHARED),
    _route("GET", "/enabled", Access.APP),
    _route("PUT", "/enabled", Access.APP),
]
"""One or two of each kind."""


async def ask(guard: Middleware, method: str, path: str, headers: Headers = ()) -> Caller | int:
    """Return as whom the request gets in, or the status with which it is refused."""
    app = web.Application()
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    sent = CIMultiDict(headers)
    sent.setdefault("Host", "127.0.0.1:8080")
    request = make_mocked_request(method, path, headers=sent, app=app)
    request._match_info = await app.router.resolve(request)
    found: list[Caller] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        found.append(caller(request))
        return web.Response()

    try:
        await guard(request, handler)
    except web.HTTPException as exc:
        return exc.status
    return found[0]


def bearer(key: str) -> dict[str, str]:
    """Return the header of a key."""
    return {"Authorization": f"Bearer {key}"}


def app_api(secret: str, *, user: str = "alice", request_id: str = "r1") -> dict[str, str]:
    """Return the five headers of Nextcloud's AppAPI."""
    return {
        "AA-VERSION": "5.0.0",
        "EX-APP-ID": "live_transcription",
        "EX-APP-VERSION": "1.0.0",
        "AUTHORIZATION-APP-API": base64.b64encode(f"{user}:{secret}".encode()).decode(),
        "AA-REQUEST-ID": request_id,
    }
