"""Bodies off the wire."""

import asyncio
from typing import TypeVar

from aiohttp import web

from livebot.api import bodies
from livebot.errors import RequestError

T = TypeVar("T", bound=bodies.Body)

BODY_S = 2.0
"""So long may a body take that is a few KiB; whoever is slower is told so within Talk's 3 s."""


async def read(request: web.Request, kind: type[T]) -> T:
    """Read the body of a request that is about a room.

    Raises:
        RequestError: It is not such a one, says that it is something else, or breaks off.
        HTTPRequestEntityTooLarge: It is larger than the server's limit.
        HTTPRequestTimeout: It does not come.
    """
    return bodies.read(kind, await read_json(request))


async def read_json(request: web.Request) -> bytes:
    """Return the body of a request, which says that it is JSON.

    Raises:
        RequestError: It says that it is something else, or breaks off.
        HTTPRequestEntityTooLarge: It is larger than the server's limit.
        HTTPRequestTimeout: It does not come.
    """
    if request.content_type != "application/json":
        raise RequestError("Content-Type must be application/json")
    if "Content-Encoding" in request.headers:
        raise RequestError("the body must not be compressed")
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except (web.RequestPayloadError, ConnectionError) as exc:
        raise RequestError("the body cannot be read") from exc
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
