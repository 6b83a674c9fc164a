"""From the times in a file to the time a player shows (pure).

What is decoded is counted, and the file's own times say where something is missing: pauses that
were not recorded, packets that could not be decoded, sound that begins after the picture.
"""

from typing import Final

TOLERANCE_S: Final = 0.1
"""Times are rounded (to milliseconds in WebM) and tremble where they were taken from a clock; no
gap is smaller than this. Nothing adds up: the next gap is measured from the beginning."""

LOST_S: Final = 0.005
"""Where something is known to be missing, smaller gaps count too."""

REWIND_S: Final = 1.0
"""Where times go back so far, another recording has been appended."""

MAX_SILENCE_S: Final = 12 * 3600.0
"""A file is given so much silence in all. A few bytes that claim years of it are no recording."""

SLACK_S: Final = 1.0
"""What a header says of the length may be off by so much."""


class Clock:
    """Where in a recording we are.

    Args:
        origin_s: What the file's own times begin with.
        end_s: Where the recording ends as its header says; no gap leads beyond it.
    """

    def __init__(self, origin_s: float = 0.0, end_s: float | None = None) -> None:
        self._origin_s = origin_s
        self._end_s = end_s
        self._silence_s = 0.0
        self._begun = False
        self.position_s = 0.0
        """What came so far, with the silence between."""

    def gap(self, time_s: float, *, lost: bool = False) -> float:
        """Return how much silence, in seconds, belongs before what comes next.

        It counts as passed from now on. Where times go back, or ahead further than can be
        believed, what comes next follows at once, and later times are measured from there.

        Args:
            time_s: The file's own time of what comes next.
            lost: Whether what should have come before could not be decoded.
        """
        ahead_s = time_s - self._origin_s - self.position_s
        begun, self._begun = self._begun, True
        if ahead_s > (LOST_S if lost else TOLERANCE_S) and self._believes(ahead_s):
            self._silence_s += ahead_s
            self.position_s += ahead_s
            return ahead_s
        if not begun or not -REWIND_S <= ahead_s <= TOLERANCE_S:
            self._origin_s += ahead_s
        return 0.0

    def passed(self, seconds: float) -> None:
        """Count what was decoded."""
        self.position_s += seconds

    def _believes(self, ahead_s: float) -> bool:
        if self._end_s is not None and self.position_s + ahead_s > self._end_s + SLACK_S:
            return False
        return self._silence_s + ahead_s <= MAX_SILENCE_S
