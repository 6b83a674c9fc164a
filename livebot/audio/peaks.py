"""How loud a recording is where: the lowest and the highest sample of each stretch."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from livebot.audio.pcm import Samples, silence

MOST_BINS: Final = 65_536
"""An even number; of three hours, each is a third of a second at most."""

FIRST_BINS_PER_S: Final = 200
"""A picture never shows a second wider than this many strokes."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Lowest and highest samples.

    Attributes:
        low: Of each stretch; at most `MOST_BINS`.
        high: As many.
        bin_s: How long a stretch is, in seconds; the last one may be shorter.
    """

    low: Samples
    high: Samples
    bin_s: float

    def strokes(self, start: float, step_s: float, count: int) -> tuple[Samples, Samples]:
        """Return lowest and highest of `count` steps from `start` on; fewer where it ends."""
        places = (start + step_s * np.arange(count + 1)) / self.bin_s + 1e-6
        firsts = places.astype(np.int64)
        firsts = np.append(firsts[firsts < len(self.low)], len(self.low))[: count + 1]
        if len(firsts) < 2:  # noqa: PLR2004 - nothing is between
            return self.low[:0], self.high[:0]
        rest = slice(0, firsts[-1])
        return (
            np.minimum.reduceat(self.low[rest], firsts[:-1]),
            np.maximum.reduceat(self.high[rest], firsts[:-1]),
        )


class PeakMeter:
    """Takes a recording of any length in and keeps `MOST_BINS` stretches at most.

    Stretches become twice as long whenever there are too many of them.

    Args:
        rate_hz: Samples per second.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._size = max(1, rate_hz // FIRST_BINS_PER_S)
        self._low = np.empty(MOST_BINS, np.float32)
        self._high = np.empty(MOST_BINS, np.float32)
        self._count = 0
        self._rest = silence(0)

    def push(self, samples: Samples) -> None:
        """Take in what comes next, however much."""
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= self._size:
            many = min(len(self._rest) // self._size, MOST_BINS - self._count)
            whole = self._rest[: many * self._size].reshape(many, self._size)
            self._rest = self._rest[many * self._size :]
            self._low[self._count : self._count + many] = whole.min(axis=1)
            self._high[self._count : self._count + many] = whole.max(axis=1)
            self._count += many
            if self._count == MOST_BINS:
                self._halve()

    def result(self) -> Peaks:
        """Return all that came so far."""
        low, high = self._low[: self._count], self._high[: self._count]
        if len(self._rest):
            low, high = np.append(low, self._rest.min()), np.append(high, self._rest.max())
        return Peaks(low.copy(), high.copy(), self._size / self._rate_hz)

    def _halve(self) -> None:
        self._count //= 2
        self._size *= 2
        self._low[: self._count] = self._low.reshape(-1, 2).min(axis=1)
        self._high[: self._count] = self._high.reshape(-1, 2).max(axis=1)
