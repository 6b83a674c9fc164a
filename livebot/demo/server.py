"""The embedded signaling server on real sockets, and the page it serves.

A thin shell: it moves text and time between connections and the hub, and commands
between the hub and the SFU. Each connection has one writer; the SFU has one task, so
that what is asked of it happens in order.
"""

import asyncio
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from typing import Final, Self, TypeAlias

from aiohttp import WSMsgType, web

from livebot import logs
from livebot.demo import exchange
from livebot.demo.hub import Hub
from livebot.demo.sessions import Link
from livebot.demo.sfu import Sfu
from livebot.errors import ConfigError, MediaError
from livebot.ids import RoomToken, SessionId, TalkSessionId, short

log = logs.get("demo-server")

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_MESSAGE_BYTES: Final = 64 << 10
MAX_UNSENT: Final = 1000
"""Messages that may wait for a slow connection; then it is closed."""

_PAGE: Final = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/captions.js": ("captions.js", "text/javascript"),
    "/signaling.js": ("signaling.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws:; img-src data:; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class DemoServer:
    """A signaling server with media for one call on this machine, and a page to join it.

    Args:
        secret: Bots must know it.
        host: Where to listen.
        port: Where to listen; 0 for any free port.

    Raises:
        ConfigError: (on entering) The port is taken.
    """

    def __init__(self, *, secret: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.port = port
        self._host = host
        self._hub = Hub(secret=secret, new_id=lambda: secrets.token_urlsafe(24))
        self._sfu = Sfu(
            on_listened=self._on_listened,
            on_publication_lost=self._on_publication_lost,
            on_subscription_lost=self._on_subscription_lost,
        )
        self._links = map(Link, itertools.count(1))
        self._outboxes: dict[Link, asyncio.Queue[str | None]] = {}
        self._commands: asyncio.Queue[exchange.Command | None] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._listened: dict[SessionId, asyncio.Event] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen."""
        async with AsyncExitStack() as stack:
            self._loop = asyncio.get_running_loop()
            stack.push_async_callback(self._sfu.close)
            self.port = await stack.enter_async_context(self._listening())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(group.create_task(self._keep_time(), name="demo-time").cancel)
            group.create_task(self._serve_media(), name="demo-media")
            # Not cancelled: a connection that is being closed must come to its end.
            stack.callback(self._commands.put_nowait, None)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self._stack.aclose()

    @property
    def page_url(self) -> str:
        """The address of the page."""
        return f"http://{self._host}:{self.port}/"

    @property
    def signaling_url(self) -> str:
        """The address of the WebSocket."""
        return f"ws://{self._host}:{self.port}/spreed"

    async def listened(self, speaker: SessionId) -> None:
        """Wait until somebody listens to a speaker."""
        await self._listened.setdefault(speaker, asyncio.Event()).wait()

    async def readers(
        self, room: RoomToken, known: frozenset[TalkSessionId]
    ) -> frozenset[TalkSessionId]:
        """Wait until others want captions in a room's call than those known; return who."""
        while (found := self._hub.readers(room)) == known:
            self._news.clear()
            await self._news.wait()
        return found

    def captions_failed(self, room: RoomToken, reader: TalkSessionId, why: str) -> None:
        """Tell a reader that captions could not be switched on or off."""
        self._hub.captions_failed(room, reader, why)
        self._flush()

    # Sockets.

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[int]:
        app = self._application(await asyncio.to_thread(_read_page))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self._host, self.port).start()
            except OSError as exc:
                why = os.strerror(exc.errno or 0)
                raise ConfigError(
                    f"cannot listen on {self._host}:{self.port} ({why}): choose another --port"
                ) from exc
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    def _application(self, page: dict[str, bytes]) -> web.Application:
        app = web.Application()
        app.router.add_get("/spreed", self._websocket)
        for path, (name, kind) in _PAGE.items():
            app.router.add_get(path, _static(page[name], kind))
        app.on_shutdown.append(self._close_links)
        return app

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        # A page of another site must not reach into the call: browsers always send Origin.
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            raise web.HTTPForbidden(text="Only the demo's own page may connect.\n")
        ws = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=30.0)
        await ws.prepare(request)
        link = next(self._links)
        self._outboxes[link] = asyncio.Queue(MAX_UNSENT)
        self._hub.connected(link, self._loop.time())
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(
                    self._write(ws, self._outboxes[link]), name="demo-write"
                )
                self._flush()
                await self._read(ws, link)
                writer.cancel()
        finally:
            del self._outboxes[link]
            self._hub.disconnected(link, self._loop.time())
            self._flush()
        return ws

    async def _read(self, ws: web.WebSocketResponse, link: Link) -> None:
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                self._hub.receive(link, message.data, self._loop.time())
                self._flush()

    async def _write(self, ws: web.WebSocketResponse, outbox: asyncio.Queue[str | None]) -> None:
        while (text := await outbox.get()) is not None:
            try:
                await ws.send_str(text)
            except ConnectionError:
                return
        await ws.close()

    async def _close_links(self, _: web.Application) -> None:
        for outbox in list(self._outboxes.values()):
            _put(outbox, None)

    # Hub and SFU.

    def _flush(self) -> None:
        """Hand on what the hub has to say, and let the clock look again."""
        for link, text in self._hub.texts_to_send():
            if link in self._outboxes:
                _put(self._outboxes[link], text)
        for command in self._hub.commands_to_do():
            self._commands.put_nowait(command)
        self._wake.set()
        self._news.set()

    async def _keep_time(self) -> None:
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(self._hub.next_deadline):
                    await self._wake.wait()
            except TimeoutError:
                self._hub.tick(self._loop.time())
                self._flush()

    async def _serve_media(self) -> None:
        while (command := await self._commands.get()) is not None:
            try:
                await self._do(command)
            except MediaError as error:
                log.warning("media_failed", error=str(error))
                if isinstance(command, exchange.Publish):
                    self._hub.media_failed(command.speaker, command.request)
                elif isinstance(command, exchange.Subscribe | exchange.Answered):
                    self._hub.media_failed(command.reader, command.request)
            self._flush()

    async def _do(self, command: exchange.Command) -> None:
        match command:
            case exchange.Publish(speaker, sid, sdp):
                self._hub.published(speaker, sid, await self._sfu.publish(speaker, sdp))
            case exchange.Unpublish(speaker):
                await self._sfu.unpublish(speaker)
            case exchange.Subscribe(reader, speaker, sid):
                offer = await self._sfu.subscribe(speaker, sid)
                self._hub.offered(reader, speaker, sid, offer)
            case exchange.Answered(sid=sid, sdp=sdp):
                await self._sfu.answered(sid, sdp)
            case exchange.Candidate(peer, candidate, mid, index):
                await self._sfu.add_candidate(peer, candidate, mid, index)
            case exchange.Unsubscribe(sid):
                await self._sfu.unsubscribe(sid)

    def _on_listened(self, speaker: SessionId) -> None:
        log.debug("listened", speaker=short(speaker))
        self._listened.setdefault(speaker, asyncio.Event()).set()

    def _on_publication_lost(self, speaker: SessionId) -> None:
        self._hub.publication_lost(speaker)
        self._flush()

    def _on_subscription_lost(self, sid: str) -> None:
        self._hub.subscription_lost(sid)
        self._flush()


def _put(outbox: asyncio.Queue[str | None], text: str | None) -> None:
    """Add a message; a connection that cannot keep up is closed after what it has."""
    if outbox.full():
        outbox.get_nowait()
        text = None
    outbox.put_nowait(text)


def _read_page() -> dict[str, bytes]:
    folder = files("livebot.demo").joinpath("page")
    return {name: folder.joinpath(name).read_bytes() for name, _ in _PAGE.values()}


def _static(content: bytes, kind: str) -> _Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)

    return handle
