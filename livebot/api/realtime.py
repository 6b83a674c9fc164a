"""Live sessions in the form of OpenAI's realtime transcription."""

import asyncio
import secrets

from aiohttp import web

from livebot import logs
from livebot.api.auth import scope
from livebot.api.openai_errors import OpenAIError, UnknownModelError, shape
from livebot.api.routes import Access, Route
from livebot.api.services import Services
from livebot.api.shaped import shaped
from livebot.api.sockets import Socket, finish, part, relay
from livebot.errors import LivebotError
from livebot.live import openai_names
from livebot.live.openai_realtime import Action, Append, Dialogue, Finalize
from livebot.live.session import LiveSession
from livebot.live.sessions import LiveSessions

log = logs.get("live")

ALIVE_S = 10.0
"""How often a session is told that its client is there, which may be silent for long by design."""

SILENT_S = 600.0
"""Who sends nothing for so long holds a connection that somebody else may need."""

_BETA = "OpenAI-Beta"


class Realtime:
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
                path="/v1/realtime",
                handler=shaped(self._serve, shape),
                access=Access.LIVE,
                summary="Transcribe live audio over a WebSocket, as OpenAI's realtime API does",
                query={"model": False, "intent": False},
                answers={101: None, **dict.fromkeys((400, 404, 426, 500, 503), OpenAIError)},
                is_long=True,
            )
        ]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = Socket(request, ["realtime"])
        socket.check()
        live = self._services.need_live()
        if (model := request.query.get("model", "")) and not openai_names.is_own(model):
            raise UnknownModelError
        dialogue = Dialogue(
            secrets.token_hex(8),
            is_newer=not request.headers.get(_BETA, "").startswith("realtime"),
        )
        await socket.open()
        await _Conversation(socket, live, scope(request).owner or "", dialogue).run()
        return socket.response


class _Conversation:
    """One client; its live session begins with its first audio, when its form is known."""

    def __init__(self, socket: Socket, live: LiveSessions, owner: str, dialogue: Dialogue) -> None:
        self._socket = socket
        self._live = live
        self._owner = owner
        self._dialogue = dialogue
        self._session: LiveSession | None = None
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                await self._socket.say(self._dialogue.greet())
                alive = group.create_task(self._keep_alive(), name="realtime-alive")
                await self._hear(group)
                alive.cancel()
                await self._finish()
        except* ConnectionError:
            log.info("live_client_lost", form="realtime")
        finally:
            await self._finish()

    async def _hear(self, group: asyncio.TaskGroup) -> None:
        """Take what the client sends until it is gone."""
        while (came := await self._next()) is not None:
            text = came if isinstance(came, str) else ""
            told, action = self._dialogue.receive(text)
            await self._socket.say(told)
            try:
                await self._do(action, group)
            except LivebotError as exc:
                await self._socket.say(self._dialogue.failed(exc))
                await self._socket.close(1011, "the audio cannot be transcribed")

    async def _next(self) -> str | bytes | None:
        try:
            return await self._socket.receive(SILENT_S)
        except TimeoutError:
            await self._socket.close(1001, "nothing was sent for too long")
            return None

    async def _do(self, action: Action | None, group: asyncio.TaskGroup) -> None:
        match action:
            case Append(data):
                await (self._session or await self._open(group)).send(data)
            case Finalize():
                await self._finalize()
            case None:
                pass

    async def _open(self, group: asyncio.TaskGroup) -> LiveSession:
        session = await self._live.open(self._owner, self._dialogue.options)
        self._session = session
        self._telling = group.create_task(self._tell(session), name="realtime-tell")
        return session

    async def _finish(self) -> None:
        is_over = self._session is None or await finish(self._session)
        if not is_over and self._telling is not None:
            self._telling.cancel()

    async def _finalize(self) -> None:
        if self._session is None:
            await self._socket.say(self._dialogue.finalized(0))
            return
        await self._session.finalize()
        await self._socket.say(self._dialogue.finalized(self._session.feed.seq))

    async def _tell(self, session: LiveSession) -> None:
        """Tell what is said until no more can be."""
        await relay(session.feed, self._socket, self._dialogue.heard)
        await part(self._socket, session)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_S)
            await self._socket.ping()
            if self._session is not None:
                self._session.keepalive()
