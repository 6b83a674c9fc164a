"""A straight line through figures over time, and how sure its slope is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MOST_ALIKE = 0.99


@dataclass(frozen=True, slots=True)
class Trend:
    """A line by least squares.

    Attributes:
        mean: The mean of the values.
        slope: By how much they grow in one unit of time.
        error: The standard error of the slope. Neighbours that are alike count as fewer: memory
            that once grew stays so, and ten readings of it tell no more than two.
    """

    mean: float
    slope: float
    error: float


def trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return the line through at least three values.

    Raises:
        ValueError: There are fewer, or all are of one time.
    """
    if len(times) < 3 or len(set(times)) == 1:  # any two are on a line
        raise ValueError("a trend needs three values of different times")
    t, v = np.asarray(times, float), np.asarray(values, float)
    t = t - t.mean()
    spread = float(t @ t)
    slope = float(t @ v) / spread
    rest = v - v.mean() - slope * t
    variance = float(rest @ rest) / (len(t) - 2)
    error = math.sqrt(variance / spread)
    return Trend(float(v.mean()), slope, error * math.sqrt(_share(rest)))


def _share(rest: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """Return how many neighbours count as one, by how alike they are."""
    total = float(rest @ rest)
    alike = float(rest[:-1] @ rest[1:]) / total if total else 0.0
    alike = min(max(alike, 0.0), _MOST_ALIKE)
    return (1 + alike) / (1 - alike)
