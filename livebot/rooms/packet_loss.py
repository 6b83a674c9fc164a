"""Single packets that get lost, told as gaps: long holes, and many small ones.

A small loss is made up for by a guess, and no word is lost by it. A hole of half a second
is told by itself; what is scattered, once it is a tenth of the time.
Silence that is not sent (DTX) is no loss, and does not come here.
"""

from collections import deque

from livebot.captions.gap import Cause, Gap

HOLE_S = 0.5
"""A hole of this length is told by itself: a word fits into it."""

WINDOW_S = 10.0
"""Scattered loss is summed over so much time."""

OPEN_S = 0.1 * WINDOW_S
"""So much of it and words suffer."""

CLOSE_S = 0.02 * WINDOW_S
"""Less of it again and they do not."""

AGAIN_S = 2.0
"""A gap that goes on is told again after so much more was lost."""

BURST_S = 1.0
"""By so much may packets come late, and then at once. More cannot be lost than time has passed
but for this: the numbers that say how much are the sender's."""

_STEP_S = 1.0
"""Losses so close together are one entry of the window, which bounds it."""


class PacketLoss:
    """One speaker's lost packets; all times are the room's."""

    def __init__(self) -> None:
        self._hole_s = 0.0
        self._heard_at: float | None = None
        self._recent: deque[tuple[float, float]] = deque()
        self._start: float | None = None
        self._lost_s = self._told_s = 0.0
        self._last = 0.0  # when the newest loss of an open gap, or a told one, was over

    def restart(self) -> None:
        """Forget a hole that has not ended: its connection has."""
        self._hole_s = 0.0

    def heard(self, now: float, seconds: float, lost_s: float, *, concealed: bool) -> list[Gap]:
        """Take a frame and return what is to be told.

        Args:
            now: When it came.
            seconds: Its length.
            lost_s: What is missing before it.
            concealed: Whether it is a guess at what was lost; a hole ends with real audio.
        """
        self._hole_s += lost_s
        if concealed:
            self._hole_s += seconds
            return []
        before = now if self._heard_at is None else self._heard_at
        lost, self._hole_s = min(self._hole_s, now - before + BURST_S), 0.0
        self._heard_at = now
        return self._lose(lost, now) if lost else []

    def tick(self, now: float) -> list[Gap]:
        """Return what is to be told because packets come through again."""
        return self.flush() if self._recent_s(now) < CLOSE_S else []

    def flush(self) -> list[Gap]:
        """End what was begun: no more packets come."""
        if self._start is None:
            return []
        gap = Gap(Cause.NETWORK, self._start, self._last, self._lost_s)
        self._start = None
        self._recent.clear()
        return [gap]

    def _lose(self, lost_s: float, now: float) -> list[Gap]:
        start = max(now - lost_s, self._last)
        if self._start is None and lost_s >= HOLE_S:
            # What was scattered before it was too little to be told, and would overlap.
            self._recent.clear()
            self._last = now
            return [Gap(Cause.NETWORK, start, now, lost_s)]
        self._add(start, lost_s)
        recent_s = self._recent_s(now)
        if self._start is not None:
            self._lost_s += lost_s
        elif recent_s >= OPEN_S:
            self._start, self._lost_s, self._told_s = self._recent[0][0], recent_s, -AGAIN_S
        else:
            return []
        self._last = now
        return self._told(self._start)

    def _told(self, start: float) -> list[Gap]:
        if self._lost_s < self._told_s + AGAIN_S:
            return []
        self._told_s = self._lost_s
        return [Gap(Cause.NETWORK, start, None, self._lost_s)]

    def _add(self, start: float, lost_s: float) -> None:
        if self._recent and start - self._recent[-1][0] < _STEP_S:
            start, before_s = self._recent.pop()
            lost_s += before_s
        self._recent.append((start, lost_s))

    def _recent_s(self, now: float) -> float:
        while self._recent and self._recent[0][0] <= now - WINDOW_S:
            self._recent.popleft()
        return sum(lost_s for _, lost_s in self._recent)
