"""What sounds are put together from (pure)."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import Samples

RATE_HZ = 16_000

Signal: TypeAlias = npt.NDArray[Any]
"""Mono at `RATE_HZ`, at any level."""


def scaled(signal: Signal, level_db: float) -> Samples:
    """Bring a signal to a level; what would not fit is clipped, as a sound card does."""
    rms = float(np.sqrt(np.mean(signal**2)))
    if rms == 0:
        return signal.astype(np.float32)
    return np.clip(signal * (10 ** (level_db / 20) / rms), -1, 1).astype(np.float32)


def moments(rng: np.random.Generator, count: int, *, per_s: float) -> list[int]:
    """Return samples at which something happens by chance."""
    number = rng.poisson(per_s * count / RATE_HZ)
    return sorted(int(at) for at in rng.integers(0, max(1, count), number))


def total(parts: Iterable[Signal]) -> Signal:
    """Add signals up, one after the other."""
    found = iter(parts)
    out: Signal = np.array(next(found), np.float64)
    for part in found:
        out += part
    return out


def phase(hz: Signal) -> Signal:
    """Return the angle of a tone whose frequency changes, in radians."""
    return 2 * np.pi * np.cumsum(hz) / RATE_HZ


def add(out: Signal, start: int, piece: Signal) -> None:
    """Put a piece into a signal, as far as it fits."""
    room = out[start : start + len(piece)]
    room += piece[: len(room)]
