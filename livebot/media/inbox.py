"""Frames on their way from the network to whoever reads the peer."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from livebot.media.frame import RATE_HZ, Frame

LIMIT = 10 * RATE_HZ
"""Samples that wait at most; a reader keeps far below. The oldest go, and are told as lost."""


class Inbox:
    """Hands frames to one reader; what comes does not wait for it.

    Attributes:
        has_ended: Whether no more will come.
    """

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._waiting = 0  # samples
        self.has_ended = False
        self._wake = asyncio.Event()

    def put(self, frames: Iterable[Frame]) -> None:
        """Add frames; the oldest make room."""
        for frame in frames:
            self._frames.append(frame)
            self._waiting += len(frame.samples)
            self._wake.set()
        while self._waiting > LIMIT:
            self._drop()

    def end(self) -> None:
        """Say that no more will come."""
        self.has_ended = True
        self._wake.set()

    async def get(self) -> Frame | None:
        """Return the next frame; None when no more will come. May be cancelled at any time."""
        while not self._frames:
            if self.has_ended:
                return None
            self._wake.clear()
            await self._wake.wait()
        frame = self._frames.popleft()
        self._waiting -= len(frame.samples)
        return frame

    def _drop(self) -> None:
        oldest = self._frames.popleft()
        self._waiting -= len(oldest.samples)
        successor = self._frames[0]
        lost = oldest.lost + len(oldest.samples) + successor.lost
        self._frames[0] = replace(successor, lost=lost)
