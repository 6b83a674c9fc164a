"""Live sessions in the form of Deepgram's `/v1/listen`."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web
from msgspec import Struct

from livebot import logs
from livebot.api.auth import scope
from livebot.api.routes import Access, Route
from livebot.api.services import Services
from livebot.api.shaped import shaped
from livebot.api.sockets import Socket, finish, part, relay
from livebot.errors import LivebotError, RequestError
from livebot.live.clients import End
from livebot.live.deepgram import Dialogue, control
from livebot.live.deepgram_query import parse
from livebot.live.session import LiveSession

log = logs.get("live")

_UNDECODABLE = (1008, "DATA-0000")
_SILENT = (1011, "NET-0001")
_INTERNAL = (1011, "NET-0000")


class DeepgramError(Struct, frozen=True):
    """Why there is no connection."""

    err_code: str
    err_msg: str
    request_id: str


class Deepgram:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="GET",
                path="/v1/listen",
                handler=shaped(self._listen, _error),
                access=Access.LIVE,
                summary="Transcribe live audio over a WebSocket, as Deepgram does",
                query={
                    "encoding": False,
                    "sample_rate": False,
                    "channels": False,
                    "language": False,
                    "model": False,
                    "interim_results": False,
                    "vad_events": False,
                    "utterance_end_ms": False,
                },
                answers={101: None, **dict.fromkeys((400, 426, 500, 503), DeepgramError)},
                is_long=True,
            )
        ]

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        socket = Socket(request)
        socket.check()
        wanted = parse(request.query.items())
        session = await self._services.need_live().open(scope(request).owner or "", wanted.options)
        try:
            created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            dialogue = Dialogue(wanted, session.id, created)
            socket.response.headers["dg-request-id"] = session.id
            await socket.open()
            await _converse(socket, session, dialogue)
        finally:
            await finish(session)
        return socket.response


async def _converse(socket: Socket, session: LiveSession, dialogue: Dialogue) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(_tell(socket, session, dialogue), name="deepgram-tell")
            leaving = group.create_task(_leave(socket, session), name="deepgram-leave")
            await _hear(socket, session, dialogue)
            leaving.cancel()
            if not await finish(session):
                telling.cancel()
    except* ConnectionError:
        log.info("live_client_lost", form="deepgram")


async def _tell(socket: Socket, session: LiveSession, dialogue: Dialogue) -> None:
    """Tell what is said, and at its end that it is the end."""
    await relay(session.feed, socket, lambda came: dialogue.heard(came, session.position))
    await socket.say(dialogue.ended(session.position))
    await part(socket, session)


async def _leave(socket: Socket, session: LiveSession) -> None:
    """Part with a client that sends nothing; what else ends a session ends what it tells."""
    if await session.ended() is End.IDLE:
        await _fail(socket, *_SILENT, "neither audio nor KeepAlive came for too long")


async def _hear(socket: Socket, session: LiveSession, dialogue: Dialogue) -> None:
    """Take what a client sends, until it is done or gone."""
    try:
        while (came := await socket.receive()) is not None:
            if came in (b"", "") or not await _take(came, socket, session, dialogue):
                return
    except RequestError as exc:
        await _fail(socket, *_UNDECODABLE, str(exc))
    except LivebotError as exc:
        await _fail(socket, *_INTERNAL, str(exc))


async def _take(
    came: str | bytes, socket: Socket, session: LiveSession, dialogue: Dialogue
) -> bool:
    """Take one message; return False where it is the last."""
    if isinstance(came, bytes):
        await session.send(came)
        return True
    match control(came):
        case "KeepAlive":
            session.keepalive()
        case "Finalize":
            dialogue.finalize()
            await session.finalize()
            await socket.say(dialogue.finalized(session.feed.seq))
        case "CloseStream":
            return False
        case kind:
            await socket.say([dialogue.refuse(kind)])
    return True


async def _fail(socket: Socket, code: int, variant: str, text: str) -> None:
    """End a conversation as Deepgram does where it has to."""
    await socket.say([{"type": "Error", "variant": variant, "description": text, "message": text}])
    await socket.close(code, variant)


def _error(
    status: int,
    text: str,
    cause: LivebotError | None = None,  # noqa: ARG001
) -> tuple[DeepgramError, Mapping[str, str]]:
    request = str(uuid4())
    body = DeepgramError(HTTPStatus(status).phrase, text, request)
    # A header is one line of Latin-1.
    shown = " ".join(text.split()).encode("ascii", "replace").decode()
    return body, {"dg-error": shown, "dg-request-id": request}
