"""Captions on their way out of a room: the one writer behind the outbox.

A caption goes to those who are in the call when the socket takes it. While we do not know
who that is (no connection, or a new session that was not told yet) captions wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from livebot.captions.caption import Caption
from livebot.captions.gap import Gap
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.outbox import Outbox, Outgoing
from livebot.signaling.messages import Transcript


class Channel(Protocol):
    """What delivery asks of the signaling conversation."""

    def send_caption(self, readers: list[SessionId], caption: Transcript) -> Awaitable[bool]:
        """Send a caption to each reader; return whether the socket has taken it."""


class Delivery:
    """One room's captions.

    Args:
        channel: Where they go.
        readers: Asked at each caption: who is in the call now.
        language: What all captions of the room are in.
        clock: The room's time line.
        metrics: What is counted.

    Attributes:
        told: Set while we know who is in the call.
        sent: Captions the socket has taken.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        readers: Callable[[], list[SessionId]],
        language: str,
        clock: RoomClock,
        metrics: Metrics,
    ) -> None:
        self._channel = channel
        self._readers = readers
        self._language = language
        self._clock = clock
        self._metrics = metrics
        self._outbox = Outbox(self._on_dropped)
        self.told = asyncio.Event()
        self.sent = 0

    @property
    def waiting(self) -> int:
        """How many captions wait."""
        return len(self._outbox)

    def put(self, session: SessionId, caption: Caption | Gap) -> None:
        """Take over a speaker's caption; never waits."""
        self._outbox.put(session, caption, self._language)

    def close(self) -> None:
        """Take no more captions; `run()` ends when those that wait are sent."""
        self._outbox.close()

    async def run(self) -> None:
        """Send what waits, in order, until closed and empty."""
        while (item := await self._outbox.get()) is not None:
            caption = item.caption
            if isinstance(caption, Gap):
                continue
            await self._send(_transcript(item, caption))
            self._metrics.transcripts.labels(str(caption.final).lower()).inc()
            self.sent += 1
            if caption.end is not None:
                self._metrics.latency.observe(max(0.0, self._clock.now() - caption.end))

    async def _send(self, caption: Transcript) -> None:
        is_taken = False
        while not is_taken:
            await self.told.wait()
            is_taken = await self._channel.send_caption(self._readers(), caption)

    def _on_dropped(self, _: Outgoing) -> None:
        self._metrics.captions_dropped.inc()


def _transcript(item: Outgoing, caption: Caption) -> Transcript:
    return Transcript(
        speaker=item.session,
        text=caption.text,
        language=item.language,
        final=caption.final,
        start=None if caption.start is None else round(caption.start, 3),
        end=None if caption.end is None else round(caption.end, 3),
    )
