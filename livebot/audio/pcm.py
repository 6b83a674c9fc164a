"""Samples, and what other forms they come in."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono audio, shape `(n,)`, dtype float32, each in [-1, 1]."""

RATE_HZ = 24_000
"""The rate inside livebot, between `audio/` and the engines."""

_S16_SCALE = np.float32(1 / 32768)


def from_s16_stereo(interleaved: npt.NDArray[np.int16]) -> Samples:
    """Average the two channels of interleaved 16-bit audio.

    Args:
        interleaved: Any shape with an even number of int16 values: left, right, left, ...
    """
    pairs = interleaved.reshape(-1, 2)
    mixed: Samples = np.add(pairs[:, 0], pairs[:, 1], dtype=np.float32)
    mixed *= _S16_SCALE / 2
    return mixed


def from_s16_mono(samples: npt.NDArray[np.int16]) -> Samples:
    """Scale 16-bit mono audio."""
    return samples.reshape(-1).astype(np.float32) * _S16_SCALE


def silence(count: int) -> Samples:
    """Return `count` samples of digital silence."""
    return np.zeros(count, dtype=np.float32)


def level_dbfs(samples: Samples) -> float:
    """Return the root mean square level in dB of full scale; -120 for digital silence."""
    if not samples.size:
        return -120.0
    power = float(np.dot(samples, samples)) / samples.size
    return max(-120.0, 10.0 * float(np.log10(power + 1e-12)))
