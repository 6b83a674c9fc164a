"""Any number of channels of any kind to one (pure).

A channel counts from the moment when something is heard on it. So a recording whose second
channel is silent keeps its level, as do eight channels with one microphone, and nobody who
speaks on a channel of his own is lost. What channels are called makes no difference: recorders
with six microphones call the fourth one "bass".
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import Samples

AUDIBLE: Final = 1e-3
"""-60 dB of full scale. A peak below is the noise of an open input, or of a codec."""

FADE: Final = 512
"""Samples in which the other channels step back for one that begins to count."""


def to_float(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Scale samples of any type to [-1, 1]; what is no number is silence, what is beyond is cut.

    Args:
        samples: Of any shape: uint8, int16, int32 (the upper ones of 24 bits too) or floats.
    """
    if samples.dtype.kind == "f":
        known = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        cut: npt.NDArray[np.float32] = np.clip(known, -1.0, 1.0).astype(np.float32, order="C")
        return cut
    scaled: npt.NDArray[np.float32] = samples.astype(np.float32, order="C")
    scaled *= np.float32(2.0 / 256**samples.dtype.itemsize)
    if samples.dtype.kind == "u":
        scaled -= 1
    return scaled


class Mixer:
    """Mixes one recording as long as its channels stay the same.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._counts = np.zeros(channels, dtype=np.bool_)
        self._weights: npt.NDArray[np.float32] | None = None

    def mix(self, channels: npt.NDArray[np.float32]) -> Samples:
        """Return the average of the channels that count.

        Args:
            channels: Shape `(channels, n)`, what follows the samples of the last call.
        """
        if len(channels) == 1:
            only: Samples = channels[0]
            return only
        self._counts |= channels.max(axis=1, initial=0.0) >= AUDIBLE
        self._counts |= channels.min(axis=1, initial=0.0) <= -AUDIBLE
        counting = self._counts if self._counts.any() else np.ones_like(self._counts)
        weights = (counting / counting.sum()).astype(np.float32)
        before = weights if self._weights is None else self._weights
        self._weights = weights
        mixed: Samples = weights @ channels
        if not np.array_equal(before, weights):
            mixed[:FADE] = _faded(channels[:, :FADE], before, weights)
        return mixed


def _faded(
    channels: npt.NDArray[np.float32],
    before: npt.NDArray[np.float32],
    after: npt.NDArray[np.float32],
) -> Samples:
    """Go from the old weights to the new ones without a click."""
    share = np.linspace(0.0, 1.0, channels.shape[1], dtype=np.float32)
    faded: Samples = (before @ channels) * (1 - share) + (after @ channels) * share
    return faded
