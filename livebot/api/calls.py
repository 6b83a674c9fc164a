"""Rooms over HTTP: start, stop, look."""

import asyncio

from aiohttp import web

from livebot import logs
from livebot.api import schemas
from livebot.api.auth import caller
from livebot.api.service import RoomService
from livebot.errors import RequestError
from livebot.ids import short

log = logs.get("api")

PATH = "/api/v1/call/transcribe"
BODY_TIMEOUT_S = 10.0


class Calls:
    """The routes below `/api/v1/call`.

    Args:
        rooms: Where rooms begin and end.
        default_language: For requests that name none.
    """

    def __init__(self, rooms: RoomService, *, default_language: str) -> None:
        self._rooms = rooms
        self._default_language = default_language

    def routes(self) -> list[web.RouteDef]:
        """Return what to add to an application."""
        return [
            web.get(PATH, self._list),
            web.post(PATH, self._start),
            web.delete(PATH + "/{roomToken}", self._stop),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        wanted = schemas.TranscribeRequest.from_json(
            await _json_body(request), default_language=self._default_language
        )
        is_new = await self._rooms.enable(wanted.token, wanted.language, wanted.ice_servers)
        log.info("room_enabled", room=short(wanted.token), new=is_new, caller=caller(request))
        return web.json_response(schemas.started(wanted.token, is_new=is_new))

    async def _stop(self, request: web.Request) -> web.Response:
        token = schemas.room_token(request.match_info["roomToken"])
        await self._rooms.disable(token)
        log.info("room_disabled", room=short(token), caller=caller(request))
        return web.json_response({"status": "stopped", "roomToken": token})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(schemas.rooms(self._rooms.rooms()))


async def _json_body(request: web.Request) -> bytes:
    """Read the body.

    Raises:
        RequestError: It says that it is something else than JSON, or it breaks off.
        HTTPRequestEntityTooLarge: It is larger than the server's limit.
        HTTPRequestTimeout: It does not come.
    """
    if request.content_type != "application/json":
        raise RequestError("Content-Type must be application/json")
    if "Content-Encoding" in request.headers:
        raise RequestError("the body must not be compressed")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except web.RequestPayloadError as exc:
        raise RequestError("the body cannot be read") from exc
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
