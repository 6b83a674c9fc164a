"""Speech goes in and no words come out: a stream that looks alive and is deaf.

What is loud is not always speech. So nothing is concluded from a short sound, and from sound
without words less and less: each stall that another stream does not cure doubles the patience.
"""

import math
from collections import deque
from dataclasses import dataclass, field

SPEECH_DBFS = -50.0
"""Nothing quieter counts: a muffled voice on a bad microphone is louder."""

ABOVE_FLOOR_DB = 9.0
"""Speech stands out of the room's own noise by so much, in its loud syllables."""

FLOOR_S = 6.0
"""The quietest moment of so much time is the room's own noise: speakers breathe that often."""

MIN_SPEECH_S = 3.0
"""So much speech without a word is suspicious."""

PATIENCE_S = 10.0
MOST_PATIENCE_S = 25.0
"""How long words may take to come at first, and at most: below the 30 s that are kept for the
next stream, so that a deaf one costs no words."""


@dataclass(slots=True)
class SpeechDetector:
    """Tells what may be speech by its level alone: it varies, and stands out of the noise."""

    _levels: deque[tuple[float, float]] = field(default_factory=deque)
    _seconds: float = 0.0

    def feed(self, level_dbfs: float, duration_s: float) -> bool:
        """Take in one chunk's level; return whether it may be speech."""
        self._levels.append((level_dbfs, duration_s))
        self._seconds += duration_s
        while self._seconds - self._levels[0][1] > FLOOR_S:
            self._seconds -= self._levels.popleft()[1]
        # Who comes in the middle of speech has no quiet moment to compare with yet.
        known = self._seconds >= FLOOR_S
        floor = min(level for level, _ in self._levels) if known else -math.inf
        return level_dbfs > max(SPEECH_DBFS, floor + ABOVE_FLOOR_DB)


@dataclass(slots=True)
class StallWatch:
    """One speaker's streams, one after the other: does what is said come back as words?

    Attributes:
        stalls: How many streams in a row were given up.
    """

    stalls: int = 0
    _speech_s: float = 0.0
    _since: float | None = None
    _lag_s: float = 0.0

    @property
    def patience_s(self) -> float:
        """Return how long words may take: longer where they come late as it is.

        An engine that has too much to do is not helped by hearing everything again.
        """
        return min(MOST_PATIENCE_S, PATIENCE_S * 2.0 ** min(self.stalls, 10) + 2 * self._lag_s)

    def sent(self, seconds: float, now: float) -> None:
        """Note that the stream has taken so much of what may be speech."""
        self._speech_s += seconds
        if self._since is None:
            self._since = now

    def heard(self, lag_s: float | None = None) -> None:
        """Note a sign of understanding; how far behind the audio it is, where that is known."""
        self.stalls = 0
        self._lag_s = self._lag_s if lag_s is None else max(0.0, lag_s)
        self.restart()

    def restart(self) -> None:
        """Begin with another stream."""
        self._speech_s = 0.0
        self._since = None

    def is_stalled(self, now: float) -> bool:
        """Say whether the stream is to be given up."""
        return (
            self._since is not None
            and self._speech_s >= MIN_SPEECH_S
            and now - self._since >= self.patience_s
        )

    def gave_up(self) -> None:
        """Note that the stream was given up for it."""
        self.stalls += 1
        self.restart()
