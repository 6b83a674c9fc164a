"""The signaling conversation on real sockets: a thin shell around `protocol.py`.

It moves text and time between the server and the core, connects again with back-off,
and decides nothing else. On each connection one task reads; one writes and keeps the
core's deadlines; one pings.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

import structlog

from livebot.backoff import Backoff
from livebot.errors import NextcloudError, SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.signaling.events import SignalingEvent
from livebot.signaling.link import Link, open_link
from livebot.signaling.messages import Transcript
from livebot.signaling.protocol import Protocol
from livebot.signaling.receipts import Receipt, Receipts
from livebot.signaling.refusals import SignalingThrottledError
from livebot.signaling.state import State

log = structlog.get_logger("signaling")

OPEN_TIMEOUT_S = 10.0
RESUMING_OPEN_TIMEOUT_S = 3.0
RESUMING_DELAY_S = 1.5
"""While our session still lives no time is lost: a try every few seconds, however many failed."""

MOST_DELAY_S = 8.0
"""Between two tries, for ever: what is said while the server is back and we are not is lost."""

THROTTLED_S = 300.0
"""A locked-out address is let in again within half an hour of its last failure."""

PING_EVERY_S = 5.0
"""A dead way is noticed by then and the pong's time-out, or sooner where captions are sent."""

CONFIRM_EVERY_S = 0.2
"""Between two pings for the sake of captions, whatever is said."""

READ_AT_ONCE_S = 0.01
"""How long a flood of messages may hold the loop."""

STEADY_S = 10.0
"""So long in the room, and the connection was a good one: the next loss is repaired at once."""


class SignalingClient:
    """One room's conversation with the signaling server.

    Args:
        find_url: Asked before each connection for the server's WebSocket, `wss://.../spreed`; may
            raise `NextcloudError`.
        room: The room to join.
        secret: `internalsecret` of the server.
        backend: The base URL of the Nextcloud the room belongs to.
        on_event: Called on the loop with each event, in order; must not block.
        on_lost: Called with a short reason each time a connection is lost.
    """

    def __init__(
        self,
        *,
        find_url: Callable[[], Awaitable[str]],
        room: RoomToken,
        secret: str,
        backend: str,
        on_event: Callable[[SignalingEvent], None],
        on_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._find_url = find_url
        self._protocol = Protocol(room=room, secret=secret, backend=backend, chance=random.random)
        self._on_event = on_event
        self._on_lost = on_lost
        self._backoff = Backoff(most_s=MOST_DELAY_S)
        self._receipts = Receipts()
        self._wake = asyncio.Event()
        self._in_room_since: float | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Stay in the room until `leave()`, over any number of connections.

        Raises:
            SignalingRefusedError: The server does not want us.
        """
        while True:
            try:
                await self._converse()
                delay_s = 0.0
            except SignalingRefusedError:
                raise
            except SignalingError as exc:
                log.warning("signaling_lost", error=str(exc))
                delay_s = self._delay_s(exc)
                self._on_lost(str(exc))
            if not await self._pause(delay_s):
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

    def send_caption(self, readers: list[SessionId], caption: Transcript) -> Receipt:
        """Send a caption to each reader.

        Where the connection is lost first, the receipt says so, and the caption may be sent
        again on the next one. Readers then see twice what the server read within the last
        round trip before the loss, and nothing else.
        """
        if self._protocol.state is not State.IN_ROOM:
            return self._receipts.new(is_lost=True)
        for reader in readers:
            self._protocol.send_caption(reader, caption)
        self._wake.set()
        return self._receipts.new()

    # Between two connections.

    def _delay_s(self, error: SignalingError) -> float:
        """Return how long to wait before the next connection."""
        now, chance = self._loop.time(), random.random()  # noqa: S311 - no secret
        if isinstance(error, SignalingThrottledError):
            return THROTTLED_S * (1 + chance)
        if self._in_room_since is not None and now - self._in_room_since > STEADY_S:
            self._backoff.reset()
        delay_s = self._backoff.next_delay(chance)
        if self._protocol.login.can_resume(now):
            return min(delay_s, RESUMING_DELAY_S * (1 - chance / 2))
        return delay_s

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

    # One connection.

    async def _converse(self) -> None:
        """Hold one connection's conversation until it ends.

        Raises:
            SignalingError: It was lost.
        """
        can_resume = self._protocol.login.can_resume(self._loop.time())
        timeout_s = RESUMING_OPEN_TIMEOUT_S if can_resume else OPEN_TIMEOUT_S
        self._in_room_since = None
        url = await self._url(timeout_s)
        async with open_link(url, timeout_s=timeout_s) as link:
            self._protocol.connected(nonce=secrets.token_urlsafe(48), now=self._loop.time())
            try:
                await self._exchange(link)
            finally:
                self._protocol.disconnected(self._loop.time(), link.close_code)
                self._receipts.lose()

    async def _url(self, within_s: float) -> str:
        try:
            async with asyncio.timeout(within_s):
                return await self._find_url()
        except NextcloudError as exc:
            raise SignalingError(f"the signaling server is not known: {exc}") from exc
        except TimeoutError as exc:
            raise SignalingError("nobody says where the signaling server is") from exc

    async def _exchange(self, link: Link) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                others = [
                    group.create_task(self._write(link), name="signaling-write"),
                    group.create_task(self._ping(link), name="signaling-ping"),
                ]
                await self._read(link)
                for task in others:
                    task.cancel()
        except* SignalingError as errors:
            raise errors.exceptions[0] from None

    async def _read(self, link: Link) -> None:
        rested = self._loop.time()
        while self._protocol.state is not State.CLOSED:
            text = await link.receive()
            # While messages wait, receiving never gives way to anybody else.
            if self._loop.time() - rested > READ_AT_ONCE_S:
                await asyncio.sleep(0)
                rested = self._loop.time()
            for event in self._protocol.receive(text, self._loop.time()):
                self._on_event(event)
            if self._in_room_since is None and self._protocol.state is State.IN_ROOM:
                self._in_room_since = self._loop.time()
            self._wake.set()

    async def _write(self, link: Link) -> None:
        outgoing = self._protocol.outgoing
        too_long = outgoing.too_long
        while True:
            self._wake.clear()
            for event in self._protocol.tick(self._loop.time()):
                self._on_event(event)
            captions = self._receipts.waiting
            for text in self._protocol.text_to_send():
                await link.send(text)
            self._receipts.take(captions)
            if outgoing.too_long > too_long:
                too_long = outgoing.too_long
                log.warning("message_too_long", count=too_long)
            try:
                async with asyncio.timeout_at(self._protocol.next_deadline):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _ping(self, link: Link) -> None:
        """Ping now and then, and soon where captions wait to be confirmed."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await self._receipts.owed.wait()
            except TimeoutError:
                pass
            captions = self._receipts.taken
            await link.ping()
            self._receipts.confirm(captions)
            await asyncio.sleep(CONFIRM_EVERY_S)


async def try_hello(url: str, *, secret: str, backend: str, timeout_s: float = 10.0) -> str:
    """Say hello and bye, for `livebot doctor`; return the server's version.

    Raises:
        SignalingRefusedError: The server does not want us; the text says why.
        SignalingError: It cannot be reached or does not answer.
    """
    loop = asyncio.get_running_loop()
    protocol = Protocol(room=RoomToken(""), secret=secret, backend=backend)
    try:
        async with asyncio.timeout(timeout_s), open_link(url, timeout_s=timeout_s) as link:
            protocol.connected(nonce=secrets.token_urlsafe(48), now=loop.time())
            for text in protocol.text_to_send():
                await link.send(text)
            while protocol.state is State.HELLO_SENT:
                protocol.receive(await link.receive(), loop.time())
            protocol.text_to_send()
            protocol.leave(loop.time())
            for text in protocol.text_to_send():
                await link.send(text)
    except TimeoutError as exc:
        raise SignalingError("the signaling server does not answer") from exc
    return protocol.login.server_version or "before 1.0"
