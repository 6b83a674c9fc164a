"""When audio arrived, by its place on the time line (pure): how late words are."""

from bisect import bisect_left
from collections import deque
from operator import itemgetter

MOST = 4096
"""Messages remembered: seven minutes of the shortest ones that are usual, 100 ms."""


class Arrivals:
    """The newest messages of one session."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, float]] = deque(maxlen=MOST)

    def note(self, position: float, now: float) -> None:
        """Note that audio up to `position` is here, at `now` on any steady clock."""
        if not self._noted or position > self._noted[-1][0]:
            self._noted.append((position, now))

    def age(self, position: float, now: float) -> float | None:
        """Return for how long the audio at `position` has been here; None where nobody knows."""
        at = bisect_left(self._noted, position, key=itemgetter(0))
        if at == len(self._noted):
            # Engines round up: what ends after all audio ends with it.
            at -= 1
        is_forgotten = at == 0 and len(self._noted) == MOST
        return None if at < 0 or is_forgotten else max(0.0, now - self._noted[at][1])
