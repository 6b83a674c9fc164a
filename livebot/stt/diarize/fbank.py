"""What the voice model hears: logarithms of the energy in 80 bands, every 10 ms (pure).

They are Kaldi's filter banks (hamming window, pre-emphasis, no dither). The model wants them
without the mean of each band over some seconds, which is for the caller to take off: a frame
by itself depends on its own 25 ms only.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from livebot.audio.pcm import Samples

RATE_HZ = 16_000
BANDS = 80
SHIFT = 160
LENGTH = 400

_FFT = 512
_LOWEST_HZ = 20.0
_EMPHASIS = 0.97
_SCALE = 32_768.0
_FLOOR = float(np.finfo(np.float32).eps)


def fbank(samples: Samples) -> NDArray[np.float32]:
    """Return the bands' energies, shape (frames, `BANDS`).

    Args:
        samples: Mono at `RATE_HZ`, at least `LENGTH` of them.
    """
    # Float64 until the logarithm: the squares of 16-bit samples need more than 24 bits.
    scaled = samples.astype(np.float64) * _SCALE
    frames = np.lib.stride_tricks.sliding_window_view(scaled, LENGTH)[::SHIFT]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    windowed = (frames - _EMPHASIS * before) * np.hamming(LENGTH)
    power = np.abs(np.fft.rfft(windowed, _FFT)) ** 2
    bands = np.log(np.maximum(power[:, :-1] @ _filters(), _FLOOR))
    return bands.astype(np.float32)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hz / 700.0)


@cache
def _filters() -> NDArray[np.float64]:
    """Return triangles on the mel scale, shape (frequencies without the last, `BANDS`)."""
    low, high = _mel(np.array([_LOWEST_HZ, RATE_HZ / 2], np.float64))
    edges = np.linspace(low, high, BANDS + 2)
    mels = _mel(np.arange(_FFT // 2, dtype=np.float64) * (RATE_HZ / _FFT))[:, None]
    width = (high - low) / (BANDS + 1)
    rising, falling = (mels - edges[:-2]) / width, (edges[2:] - mels) / width
    out: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return out
