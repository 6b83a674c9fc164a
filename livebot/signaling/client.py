"""The signaling conversation on real sockets: a thin shell around `protocol.py`.

It moves text and time between the server and the core, connects again with back-off,
and decides nothing else. One task reads; one writes and keeps the core's deadlines.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.signaling.backoff import Backoff
from livebot.signaling.events import SignalingEvent
from livebot.signaling.messages import Transcript
from livebot.signaling.protocol import Protocol
from livebot.signaling.state import State

log = structlog.get_logger("signaling")

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
PING_EVERY_S = 20.0
PING_TIMEOUT_S = 20.0
MAX_MESSAGE_BYTES = 4 << 20
"""Of the server's messages: a participants update of a large room is a few hundred KiB."""

READ_AT_ONCE_S = 0.01
"""How long a flood of messages may hold the loop."""

STEADY_S = 60.0
"""A connection that held this long was a good one: the next loss is repaired at once."""


@asynccontextmanager
async def _socket(url: str) -> AsyncIterator[ClientConnection]:
    """Open the WebSocket; faults of the network leave as `SignalingError`."""
    try:
        async with await _open(url) as ws:
            yield ws
    except (OSError, WebSocketException, TimeoutError) as exc:
        raise SignalingError(f"signaling connection lost: {type(exc).__name__}") from exc


async def _open(url: str) -> ClientConnection:
    try:
        return await connect(
            url,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=MAX_MESSAGE_BYTES,
        )
    except InvalidStatus as exc:
        status = exc.response.status_code
        raise SignalingError(f"no signaling server there: it answers HTTP {status}") from exc
    except (ValueError, ImportError) as exc:
        # A host name or port that cannot be, perhaps of a redirect; a SOCKS proxy in the
        # environment, for which the library wants another library.
        raise SignalingError(f"no way to the signaling server: {type(exc).__name__}") from exc


class SignalingClient:
    """One room's conversation with the signaling server.

    Args:
        url: The server's WebSocket, `wss://.../spreed`.
        room: The room to join.
        secret: `internalsecret` of the server.
        backend: The base URL of the Nextcloud the room belongs to.
        on_event: Called on the loop with each event, in order; must not block.
        on_lost: Called with a short reason each time a connection is lost.
    """

    def __init__(
        self,
        *,
        url: str,
        room: RoomToken,
        secret: str,
        backend: str,
        on_event: Callable[[SignalingEvent], None],
        on_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._protocol = Protocol(room=room, secret=secret, backend=backend)
        self._on_event = on_event
        self._on_lost = on_lost
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._in_room = asyncio.Event()
        self._flushing: asyncio.Future[bool] | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Stay in the room until `leave()`, over any number of connections.

        Raises:
            SignalingRefusedError: The server does not want us.
        """
        while True:
            began = self._loop.time()
            try:
                await self._converse()
            except SignalingRefusedError:
                raise
            except SignalingError as exc:
                log.warning("signaling_lost", error=str(exc))
                self._on_lost(str(exc))
            if self._loop.time() - began > STEADY_S:
                self._backoff.reset()
            if not await self._pause(self._backoff.next_delay(random.random())):  # noqa: S311
                return

    async def leave(self) -> None:
        """Say bye; `run()` then ends."""
        self._protocol.leave(self._loop.time())
        self._wake.set()

    # Commands; each does nothing while we are not in the room.

    def subscribe(self, speaker: SessionId) -> None:
        """Ask for a speaker's audio until it comes."""
        self._protocol.subscribe(speaker, self._loop.time())
        self._wake.set()

    def unsubscribe(self, speaker: SessionId) -> None:
        """Want a speaker's audio no more."""
        self._protocol.subscriptions.forget(speaker)

    def subscription_lost(self, speaker: SessionId) -> None:
        """A speaker's peer connection ended: ask again."""
        self._protocol.subscriptions.lost(speaker, self._loop.time())
        self._wake.set()

    def subscription_steady(self, speaker: SessionId) -> None:
        """A speaker's audio arrives."""
        self._protocol.subscriptions.steady(speaker)

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Answer a speaker's offer."""
        self._protocol.answer(speaker, sid=sid, sdp=sdp)
        self._wake.set()

    async def send_caption(self, readers: list[SessionId], caption: Transcript) -> bool:
        """Send a caption to each reader; return whether the socket has taken it.

        Waits while there is no connection. Where one is lost before it has taken the
        caption, others may be in the room when it is back.
        """
        await self._in_room.wait()
        for reader in readers:
            self._protocol.send_caption(reader, caption)
        self._flushing = self._loop.create_future()
        self._wake.set()
        return await self._flushing

    async def _pause(self, delay_s: float) -> bool:
        """Wait before connecting again; return False when we are to leave instead."""
        deadline = self._loop.time() + delay_s
        while self._protocol.state is not State.CLOSED:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._wake.wait()
            except TimeoutError:
                return True
        return False

    async def _converse(self) -> None:
        """Hold one connection's conversation until it ends.

        Raises:
            SignalingError: It was lost.
        """
        try:
            async with _socket(self._url) as ws:
                self._protocol.connected(nonce=secrets.token_urlsafe(48), now=self._loop.time())
                await self._read_and_write(ws)
        finally:
            self._protocol.disconnected(self._loop.time())
            self._in_room.clear()
            self._note_flushed(was_sent=False)

    async def _read_and_write(self, ws: ClientConnection) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(ws), name="signaling-write")
                await self._read(ws)
                writer.cancel()
        except* SignalingError as errors:
            raise errors.exceptions[0] from None
        except* (OSError, WebSocketException) as errors:
            name = type(errors.exceptions[0]).__name__
            raise SignalingError(f"signaling connection lost: {name}") from errors

    async def _read(self, ws: ClientConnection) -> None:
        rested = self._loop.time()
        async for text in ws:
            # While messages wait, iterating never gives way to anybody else.
            if self._loop.time() - rested > READ_AT_ONCE_S:
                await asyncio.sleep(0)
                rested = self._loop.time()
            if isinstance(text, bytes):
                continue
            for event in self._protocol.receive(text, self._loop.time()):
                self._on_event(event)
            self._note_state()
            if self._protocol.state is State.CLOSED:
                return
        raise SignalingError(f"the server closed the connection ({ws.close_code})")

    async def _write(self, ws: ClientConnection) -> None:
        while True:
            self._wake.clear()
            for event in self._protocol.tick(self._loop.time()):
                self._on_event(event)
            for text in self._protocol.text_to_send():
                await ws.send(text)
            if not self._protocol.outgoing:
                self._note_flushed(was_sent=True)
            try:
                async with asyncio.timeout_at(self._protocol.next_deadline):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _note_flushed(self, *, was_sent: bool) -> None:
        if self._flushing is not None and not self._flushing.done():
            self._flushing.set_result(was_sent)

    def _note_state(self) -> None:
        self._wake.set()
        if self._protocol.state is State.IN_ROOM:
            self._in_room.set()


async def try_hello(url: str, *, secret: str, backend: str, timeout_s: float = 10.0) -> str:
    """Say hello and bye, for `livebot doctor`; return the server's version.

    Raises:
        SignalingRefusedError: The server does not want us; the text says why.
        SignalingError: It cannot be reached or does not answer.
    """
    loop = asyncio.get_running_loop()
    protocol = Protocol(room=RoomToken(""), secret=secret, backend=backend)
    try:
        async with asyncio.timeout(timeout_s), _socket(url) as ws:
            protocol.connected(nonce=secrets.token_urlsafe(48), now=loop.time())
            for text in protocol.text_to_send():
                await ws.send(text)
            while protocol.state is State.HELLO_SENT:
                protocol.receive(str(await ws.recv()), loop.time())
            protocol.text_to_send()
            protocol.leave(loop.time())
            for text in protocol.text_to_send():
                await ws.send(text)
    except TimeoutError as exc:
        raise SignalingError("the signaling server does not answer") from exc
    return protocol.login.server_version or "before 1.0"
