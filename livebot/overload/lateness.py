"""How late the event loop was lately, told by one figure that a single hiccup cannot raise."""

from collections import deque

WINDOW_S = 10.0
"""What counts as lately."""

SHARE = 0.1
"""Of this part of the window, at least, the loop was as late as the figure says."""

_MOST = 1024
"""Reports kept: twice what fifty a second are in the window."""


class Lateness:
    """The lag that the loop had, or exceeded, during a tenth of the last ten seconds.

    Reports are weighted by the time they stand for, as audio packets meet them: a loop that
    is late reports less often, and a count of reports would make it look better than it is.
    """

    def __init__(self) -> None:
        self._reports: deque[tuple[float, float, float]] = deque(maxlen=_MOST)

    def observe(self, lag_s: float, now: float) -> None:
        """Take a report: the loop was late by `lag_s` just now; both in seconds."""
        since = now - self._reports[-1][0] if self._reports else lag_s
        self._reports.append((now, lag_s, min(since, WINDOW_S)))

    def recent_s(self, now: float) -> float:
        """Return the figure, in seconds."""
        while self._reports and self._reports[0][0] <= now - WINDOW_S:
            self._reports.popleft()
        left_s = WINDOW_S * SHARE
        for lag_s, stands_for_s in sorted(((r[1], r[2]) for r in self._reports), reverse=True):
            left_s -= stands_for_s
            if left_s <= 0:
                return lag_s
        return 0.0
