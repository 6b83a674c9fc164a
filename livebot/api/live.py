"""Live sessions over a WebSocket, in the native form: see `deploy/live.md`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from livebot import logs
from livebot.api.auth import scope
from livebot.api.native import form
from livebot.api.routes import Access, Route
from livebot.api.schemas import Error
from livebot.api.services import Services
from livebot.errors import BusyError, LivebotError
from livebot.feeds.events import Snapshot
from livebot.live import protocol
from livebot.live.clients import End
from livebot.live.options import from_query
from livebot.live.protocol import Asked, Close, Finalize, Goodbye, Keepalive, Position
from livebot.live.session import LiveSession
from livebot.rooms.token_bucket import TokenBucket

log = logs.get("live")

MAX_MESSAGE_BYTES: Final = 1 << 20
"""Five seconds of raw audio in the largest form."""

CLOSE_S: Final = 2.0
"""How long a client may take to agree to the end."""

TEXTS, TEXTS_PER_S = 50, 10.0
"""Text messages at once and in the long run: a client that speaks needs one in some seconds. Who
sends more has to wait, as each may be some milliseconds of work."""

_DONE: Final = 1000
"""The code of a client that closes because all is well; others may come back."""

_encode = msgspec.json.Encoder().encode


class Live:
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
                path="/ws/transcribe",
                handler=self._transcribe,
                access=Access.LIVE,
                summary="Transcribe live audio over a WebSocket",
                query=dict.fromkeys(
                    (
                        *("encoding", "rate", "channels", "language", "interim", "store"),
                        *("title", "speaker", "session", "after"),
                    ),
                    False,
                ),
                answers={101: None, 426: Error},
                is_long=True,
            )
        ]

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, timeout=CLOSE_S, compress=False)
        if not ws.can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(reason="this is for WebSockets: ask for an upgrade")
        await ws.prepare(request)
        # Browsers show pages nothing of a refused upgrade: they are told here.
        try:
            asked = protocol.asked(request.query)
            session = await self._session(request, asked)
        except LivebotError as exc:
            await _part(ws, protocol.refusal(exc))
            return ws
        conversation = Conversation(ws, session, after=asked.after)
        try:
            goodbye = await conversation.run()
        finally:
            session.detach()
        if goodbye is not None:
            await _part(ws, goodbye)
        return ws

    async def _session(self, request: web.Request, asked: Asked) -> LiveSession:
        live, owner = self._services.need_live(), scope(request).owner or ""
        if asked.session:
            return await live.resume(owner, asked.session)
        return await live.open(owner, from_query(request.query))


class Conversation:
    """One client's.

    Args:
        ws: The connection.
        session: What it holds on to.
        after: The number of the last event the client has.
    """

    def __init__(self, ws: web.WebSocketResponse, session: LiveSession, *, after: int) -> None:
        self._ws = ws
        self._session = session
        self._after = after
        self._asides: set[asyncio.Task[None]] = set()
        self._texts = TokenBucket(TEXTS, TEXTS_PER_S)

    async def run(self) -> Goodbye | None:
        """Converse; return how it ends, None where the client is gone."""
        session = self._session
        ready = protocol.ready(
            session.id,
            seq=session.feed.seq,
            position=session.position,
            epoch=session.feed.epoch,
            resume_s=session.resume_s,
        )
        try:
            await self._say(ready)
            return await self._converse()
        except ConnectionError:
            return None

    async def _converse(self) -> Goodbye | None:
        telling = asyncio.create_task(self._tell(), name="live-tell")
        tasks = [
            asyncio.create_task(self._leave(telling), name="live-leave"),
            asyncio.create_task(self._hear(), name="live-hear"),
            telling,
        ]
        try:
            first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in first).result()
        finally:
            left = [*tasks, *self._asides]
            for task in left:
                task.cancel()
            await asyncio.wait(left)

    async def _tell(self) -> Goodbye | None:
        """Tell what is said, until no more comes; who is slow gets snapshots."""
        feed, after = self._session.feed, self._after
        while told := await feed.read(after):
            if isinstance(told, Snapshot):
                if 0 < after <= told.seq:
                    self._session.fell_behind()
                after = told.seq
                await self._say(form(told))
                continue
            for numbered in told:
                await self._say(form(numbered))
            after = told[-1].seq
        return protocol.closed(after, await self._session.ended())

    async def _leave(self, telling: asyncio.Task[Goodbye | None]) -> Goodbye | None:
        """Wait until the client is to go."""
        match await self._session.ended():
            case End.IDLE:
                return protocol.IDLE
            case End.REPLACED:
                return protocol.REPLACED
            case End.FINISHED | End.RESTART | End.TIME:
                # All is said, but maybe not told yet.
                return await asyncio.shield(telling)

    async def _hear(self) -> Goodbye | None:
        """Take what the client sends, until it is gone or sends what is not understood."""
        while True:
            message = await self._ws.receive()
            await asyncio.sleep(0)  # `receive` does not wait where more is there: others do
            try:
                match message.type:
                    case WSMsgType.BINARY if not self._session.is_over:
                        await self._session.send(message.data)
                    case WSMsgType.BINARY:
                        pass  # it has not read yet that the service stops, or comes after `close`
                    case WSMsgType.TEXT:
                        await self._slow_down()
                        await self._obey(protocol.command(message.data))
                    case _:
                        await self._lost()
                        return None
            except LivebotError as exc:
                if not self._session.is_over:
                    return protocol.refusal(exc)

    async def _slow_down(self) -> None:
        if not self._texts.take(asyncio.get_running_loop().time()):
            await asyncio.sleep(1 / TEXTS_PER_S)

    async def _obey(self, command: protocol.Command) -> None:
        match command:
            case Finalize():
                await self._aside(self._session.finalize)
            case Keepalive():
                self._session.keepalive()
            case Position(seconds=seconds):
                self._session.begin_at(seconds)
            case Close():
                await self._aside(self._session.finish)

    async def _aside(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something while audio goes on; one thing at a time."""
        if self._asides:
            await asyncio.wait(self._asides)
        task = asyncio.create_task(_unless_over(work), name="live-aside")
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
        await asyncio.sleep(0)  # it has begun before more audio is taken

    async def _lost(self) -> None:
        """Note that the connection is gone; who closed it in order does not come back."""
        if self._ws.close_code == _DONE:
            await self._aside(self._session.finish)

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._ws.send_str(_encode(message).decode())


async def _unless_over(work: Callable[[], Awaitable[None]]) -> None:
    with suppress(BusyError):  # the session ended before it began
        await work()


async def _part(ws: web.WebSocketResponse, goodbye: Goodbye) -> None:
    """Say why, and close."""
    try:
        await ws.send_str(_encode(goodbye.message).decode())
    except ConnectionError:
        return  # it is gone
    await ws.close(code=goodbye.code, message=str(goodbye.message.get("code", "")).encode())
