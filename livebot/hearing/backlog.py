"""Audio on its way to an engine: the one hand-over between a speaker's tasks.

Policy: the oldest goes first. `put` never waits, because a reader that pauses fills the
decoder's queue with memory instead of slowing the sender.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from livebot.audio.pcm import RATE_HZ
from livebot.audio.pipeline import Chunk


class Backlog:
    """Chunks of one speaker, newest last; one task puts, one gets.

    Args:
        limit_s: How much audio is kept at most. One chunk always is.
        on_drop: Called with each chunk that had to go.

    Attributes:
        closed: Set once no more audio comes; some may still wait.
    """

    def __init__(self, limit_s: float, on_drop: Callable[[Chunk], None]) -> None:
        self._limit = round(limit_s * RATE_HZ)
        self._on_drop = on_drop
        self._chunks: deque[Chunk] = deque()
        self._samples = 0
        self.closed = asyncio.Event()
        self._wake = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Return how much audio waits."""
        return self._samples / RATE_HZ

    def put(self, chunk: Chunk) -> None:
        """Add the newest chunk; the oldest go when there is no room. Ignored once closed."""
        if self.closed.is_set():
            return
        self._chunks.append(chunk)
        self._samples += len(chunk.samples)
        self._wake.set()
        while self._samples > self._limit and len(self._chunks) > 1:
            self._on_drop(self._take())

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

    def drain(self) -> list[Chunk]:
        """Take all that waits, without waiting."""
        return [self._take() for _ in range(len(self._chunks))]

    def close(self) -> None:
        """Take no more chunks; what waits can still be got. May be called twice."""
        self.closed.set()
        self._wake.set()

    def _take(self) -> Chunk:
        chunk = self._chunks.popleft()
        self._samples -= len(chunk.samples)
        return chunk
