"""Audio that no engine will ever hear, told as gaps."""

from collections.abc import Callable

from livebot.audio.pcm import level_dbfs
from livebot.audio.pipeline import Chunk
from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S
from livebot.stt.stall import SPEECH_DBFS

LEAST_S = 0.4
"""Less is not told at all: it is no word."""

AGAIN_S = 5.0
"""What goes on is told again after so much more."""


class Unheard:
    """One speaker's losses to the engine; silence is none.

    Args:
        on_gap: Called with each gap: when it is noticed, as it grows, and when it is over.
    """

    def __init__(self, on_gap: Callable[[Gap], None]) -> None:
        self._on_gap = on_gap
        self._cause = Cause.ENGINE
        self._start: float | None = None
        self._end = 0.0
        self._lost_s = 0.0
        self._tell_at_s = NOTICE_S

    def lose(self, chunk: Chunk) -> None:
        """Give up on a chunk."""
        if level_dbfs(chunk.samples) <= SPEECH_DBFS:
            return
        self._start = chunk.start if self._start is None else min(self._start, chunk.start)
        self._end = max(self._end, chunk.end)
        self._lost_s += chunk.seconds
        if self._lost_s >= self._tell_at_s:
            self._tell_at_s = self._lost_s + AGAIN_S
            self._on_gap(Gap(self._cause, self._start, None, self._lost_s))

    def end(self, cause: Cause) -> None:
        """Note that what was lost already is all of its kind; the rest has another cause."""
        self.over()
        self._cause = cause

    def over(self) -> None:
        """Note that the engine understands again: what was lost until now is all."""
        if self._start is not None and self._lost_s >= LEAST_S:
            self._on_gap(Gap(self._cause, self._start, self._end, self._lost_s))
        self._start = None
        self._end = self._lost_s = 0.0
        self._tell_at_s = NOTICE_S
