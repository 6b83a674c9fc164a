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
        on_drop: Called with the seconds that had to go.
    """

    def __init__(self, limit_s: float, on_drop: Callable[[float], None]) -> None:
        self._limit = round(limit_s * RATE_HZ)
        self._on_drop = on_drop
        self._chunks: deque[Chunk] = deque()
        self._samples = 0
        self._is_closed = False
        self._wake = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Return how much audio waits."""
        return self._samples / RATE_HZ

    def put(self, chunk: Chunk) -> None:
        """Add the newest chunk; the oldest go when there is no room. Ignored once closed."""
        if self._is_closed:
            return
        self._chunks.append(chunk)
        self._samples += len(chunk.samples)
        self._wake.set()
        dropped = 0
        while self._samples > self._limit and len(self._chunks) > 1:
            dropped += len(self._take().samples)
        if dropped:
            self._on_drop(dropped / RATE_HZ)

    async def get(self) -> Chunk | None:
        """Take the oldest chunk, waiting for one; None once closed and empty.

        Cancelling loses nothing.
        """
        while not self._chunks:
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._take()

    def trim(self, keep_s: float) -> float:
        """Forget, on purpose, all but the newest chunks that make up `keep_s`.

        Returns:
            The seconds forgotten.
        """
        keep = round(keep_s * RATE_HZ)
        before = self._samples
        while self._chunks and self._samples - len(self._chunks[0].samples) >= keep:
            self._take()
        return (before - self._samples) / RATE_HZ

    def close(self) -> None:
        """Take no more chunks; what waits can still be got. May be called twice."""
        self._is_closed = True
        self._wake.set()

    def _take(self) -> Chunk:
        chunk = self._chunks.popleft()
        self._samples -= len(chunk.samples)
        return chunk
