"""Audio on its way to an engine: the one hand-over between a speaker's tasks.

Policy: the oldest goes first. `put` never waits, because a reader that pauses fills the
decoder's queue with memory instead of slowing the sender.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from livebot.audio.pcm import RATE_HZ
from livebot.audio.pipeline import Chunk


@dataclass(frozen=True, slots=True, eq=False)
class Mark(Chunk):
    """No audio but a moment between two chunks, at which a stream is to be completed.

    Attributes:
        on_passed: Called once all that came before is answered, or lost and told so.
    """

    on_passed: Callable[[], None]


class Backlog:
    """Chunks of one speaker, newest last; one task puts, one gets.

    Args:
        limit_s: How much audio is kept at most. One chunk always is.
        on_drop: Called with each chunk that had to go.
        on_put: Called with each chunk that comes.

    Attributes:
        closed: Set once no more audio comes; some may still wait.
    """

    def __init__(
        self,
        limit_s: float,
        on_drop: Callable[[Chunk], None],
        on_put: Callable[[Chunk], None] = lambda _: None,
    ) -> None:
        self._limit = round(limit_s * RATE_HZ)
        self._on_drop = on_drop
        self._on_put = on_put
        self._chunks: deque[Chunk] = deque()
        self._samples = 0
        self.closed = asyncio.Event()
        self._wake = asyncio.Event()
        self._taken = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Return how much audio waits."""
        return self._samples / RATE_HZ

    def put(self, chunk: Chunk) -> None:
        """Add the newest chunk; the oldest go when there is no room. Ignored once closed."""
        if self.closed.is_set():
            return
        self._on_put(chunk)
        self._chunks.append(chunk)
        self._samples += len(chunk.samples)
        self._wake.set()
        while self._samples > self._limit and len(self._chunks) > 1:
            if isinstance(dropped := self._take(), Mark):
                dropped.on_passed()
            else:
                self._on_drop(dropped)

    async def get(self) -> Chunk | None:
        """Take the oldest chunk, waiting for one; None once closed and empty.

        Cancelling loses nothing.
        """
        while not self._chunks:
            if self.closed.is_set():
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._take()

    async def below(self, seconds: float) -> None:
        """Wait until no more than so much waits, or it is closed."""
        while self.seconds > seconds and not self.closed.is_set():
            self._taken.clear()
            await self._taken.wait()

    def drain(self) -> list[Chunk]:
        """Take all that waits, without waiting."""
        return [self._take() for _ in range(len(self._chunks))]

    def close(self) -> None:
        """Take no more chunks; what waits can still be got. May be called twice."""
        self.closed.set()
        self._wake.set()
        self._taken.set()

    def _take(self) -> Chunk:
        chunk = self._chunks.popleft()
        self._samples -= len(chunk.samples)
        self._taken.set()
        return chunk
