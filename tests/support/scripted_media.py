"""A media server for tests on virtual time: one speaker, peers without sockets.

It offers when it is asked, as long as it is up; a test stops the speaker, cuts the path,
closes connections, and looks at what was asked for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import numpy as np

from livebot.ids import SessionId
from livebot.media.peer import Frame, PacketCounts
from livebot.rooms.media_watch import NOBODY_SENDS
from livebot.rooms.reception import Reception
from livebot.signaling.events import Offered, SubscriptionRefused

PACKET_S = 0.02
DTX_S = 0.4
"""How often somebody who is muted sends where silence is not sent."""

ASK_DELAY_S = 1.0
"""The wait between a loss and the request, as of the signaling conversation."""

HELD_S = 10.0
"""How long a server waits for somebody to send before it says that nobody does."""

CONNECT_S = 0.06
REPORT_S = 1.0
"""How often a media server reports (RTCP) on a living path."""

SPEAKER = SessionId("alice")


class ScriptedPeer:
    """What `open_peer()` gives out, driven by the server."""

    def __init__(self, server: "ScriptedMedia") -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._audio_at = self._connected_at = -inf
        self._number = 0
        self.missing_s = 0.0
        self.connected, self.ended = asyncio.Event(), asyncio.Event()
        self.counts = PacketCounts()

    @property
    def has_ended(self) -> bool:
        """Whether it was closed."""
        return self.ended.is_set()

    @property
    def audio_age_s(self) -> float:
        """As of a real peer."""
        return self._loop.time() - self._audio_at

    @property
    def path_age_s(self) -> float:
        """As of a real peer: reports come while the path lives."""
        cut_at = self._server.cut_at
        if self._connected_at == -inf or not self.connected.is_set():
            return inf
        if cut_at is None:
            return min(self.audio_age_s, self._loop.time() % REPORT_S)
        return self._loop.time() - cut_at

    async def answer(self, _offer: str) -> str:
        """Begin to connect."""
        return "v=0"

    async def add_candidate(self, *_: object) -> None:
        """Need none."""

    async def connect(self) -> None:
        """Be connected shortly after there is a path."""
        await self._server.path.wait()
        await asyncio.sleep(CONNECT_S)
        self._connected_at = self._loop.time()
        self.connected.set()

    async def receive(self) -> Frame | None:
        """Return the next frame that comes through; None once closed."""
        await self.connected.wait()
        while True:
            await self._server.flowing.wait()
            await asyncio.sleep(self._server.every_s)
            if self.has_ended:
                return None
            if self._server.flowing.is_set() and (frame := self._frame()):
                return frame

    def _frame(self) -> Frame | None:
        self._number += 1
        if self._number % self._server.lose_each == 0:
            self.counts.lost += 1
            return None
        lost = 960 * ((self._number - 1) % self._server.lose_each == 0 and self._number > 1)
        lost += round(self.missing_s * 48_000)
        self.missing_s = 0.0
        self.counts.received += 1
        self._audio_at = self._loop.time()
        pts = round(self._loop.time() * 48_000)
        return Frame(np.full(960, self._server.level, np.float32), pts, lost=lost)


class ScriptedMedia:
    """One speaker's media server, and the `Subscription` through which it is asked.

    Attributes:
        reception: Whom it offers to.
        asked: When it was asked, on the loop's clock.
        answered: How many offers were answered.
        steady: When audio was said to be back for good.
        peers: All peers so far, the newest last.
        closing_s: How long closing a peer takes.
        is_up: Whether requests are answered with offers.
        code: With what else: at once, or after 10 s where nobody sends.
        every_s: How often the speaker sends.
        level: How loud.
        lose_each: Each so many packets one is lost.
        cut_at: Since when the path is dead; None while it lives.
    """

    def __init__(self) -> None:
        self.reception: Reception | None = None
        self.asked: list[float] = []
        self.steady: list[float] = []
        self.answered = 0
        self.peers: list[ScriptedPeer] = []
        self.closing = 0
        self.closing_s = 0.0
        self.is_up = True
        self.code = "processing_failed"
        self.every_s = PACKET_S
        self.level = 0.5
        self.lose_each = 1 << 30
        self.cut_at: float | None = None
        self.path, self.flowing = asyncio.Event(), asyncio.Event()
        self.path.set()
        self._sends = False
        self._is_asked = False
        self._loop = asyncio.get_running_loop()

    @asynccontextmanager
    async def open_peer(self, *_: object) -> AsyncIterator[ScriptedPeer]:
        """Stand in for `open_peer()`."""
        peer = ScriptedPeer(self)
        self.peers.append(peer)
        connecting = asyncio.create_task(peer.connect())
        try:
            yield peer
        finally:
            self.closing += 1
            connecting.cancel()
            await asyncio.sleep(self.closing_s)
            self.closing -= 1

    # The speaker.

    def send(self, every_s: float = PACKET_S, level: float = 0.5) -> None:
        """Let the speaker send packets from now on."""
        self.every_s, self.level = every_s, level
        self._sends = True
        self._update()

    def stop(self) -> None:
        """Let the speaker send nothing any more."""
        self._sends = False
        self._update()

    # The path and the server.

    def cut(self) -> None:
        """Let nothing through any more."""
        self.cut_at = self._loop.time()
        self.path.clear()
        self._update()

    def heal(self) -> None:
        """Let everything through again; what was sent meanwhile is lost."""
        if self.cut_at is not None and self._sends and self.peers[-1].counts.received:
            self.peers[-1].missing_s = self._loop.time() - self.cut_at
        self.cut_at = None
        self.path.set()
        self._update()

    def close(self) -> None:
        """Close the newest connection."""
        self.peers[-1].ended.set()

    def offer(self, sid: str = "", *, is_asked: bool = False) -> None:
        """Offer the speaker's audio."""
        assert self.reception is not None
        asked_at = self._loop.time() if is_asked else None
        self.reception.deliver(
            Offered(SPEAKER, sid or str(len(self.peers)), "v=0", asked_at=asked_at)
        )

    def _update(self) -> None:
        if self._sends and self.cut_at is None:
            self.flowing.set()
        else:
            self.flowing.clear()

    # Subscription.

    def answer(self, _speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Count an answer."""
        assert sid
        assert sdp
        self.answered += 1

    def subscription_lost(self, speaker: SessionId) -> None:
        """Offer again after a while; nothing changes while that is under way."""
        assert speaker == SPEAKER
        self.asked.append(self._loop.time())
        if not self._is_asked:
            self._is_asked = True
            self._loop.call_later(ASK_DELAY_S, self._try)

    def subscription_steady(self, speaker: SessionId) -> None:
        """Note it."""
        assert speaker == SPEAKER
        self.steady.append(self._loop.time())

    def _try(self) -> None:
        if not self.is_up:
            delay_s = HELD_S if self.code == NOBODY_SENDS else 0.0
            self._loop.call_later(delay_s, self._refuse)
            return
        self._is_asked = False
        self.offer(is_asked=True)

    def _refuse(self) -> None:
        assert self.reception is not None
        self.reception.deliver(SubscriptionRefused(SPEAKER, self.code))
        self._loop.call_later(ASK_DELAY_S, self._try)
