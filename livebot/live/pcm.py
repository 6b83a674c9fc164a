"""Raw samples, cut anywhere between messages (pure)."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.recordings.mono import Mixer, to_float

BLOCK_BYTES: Final = 65_536
"""Decoded at once: some milliseconds of work at most."""

_BIAS: Final = 33
"""Of G.711's mu-law, in units of 1/8192."""


def _mulaw() -> npt.NDArray[np.float32]:
    """Return what each byte means (G.711, table 2a): sign, three bits of segment, four of step."""
    code = ~np.arange(256) & 0xFF
    size = (((code & 15) * 2 + _BIAS) << (code >> 4 & 7)) - _BIAS
    return (np.where(code & 0x80, -size, size) / 8192).astype(np.float32)


def _alaw() -> npt.NDArray[np.float32]:
    """Return what each byte means (G.711, table 1a); every other bit is sent turned."""
    code = np.arange(256) ^ 0x55
    segment, step = code >> 4 & 7, code & 15
    size = np.where(segment, (step * 2 + 33) << np.maximum(segment - 1, 0), step * 2 + 1)
    return (np.where(code & 0x80, size, -size) / 4096).astype(np.float32)


_MULAW, _ALAW = _mulaw(), _alaw()


def _s24(data: bytes) -> npt.NDArray[np.float32]:
    wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return to_float(wide.reshape(-1).view("<i4"))


def _of(kind: str) -> Callable[[bytes], npt.NDArray[np.float32]]:
    dtype: np.dtype[Any] = np.dtype(kind)
    return lambda data: to_float(np.frombuffer(data, dtype))


FORMATS: Final[dict[str, tuple[int, Callable[[bytes], npt.NDArray[np.float32]]]]] = {
    "pcm_u8": (1, _of("u1")),
    "pcm_s16le": (2, _of("<i2")),
    "pcm_s24le": (3, _s24),
    "pcm_s32le": (4, _of("<i4")),
    "pcm_f32le": (4, _of("<f4")),
    "pcm_f64le": (8, _of("<f8")),
    "mulaw": (1, lambda data: _MULAW[np.frombuffer(data, np.uint8)]),
    "alaw": (1, lambda data: _ALAW[np.frombuffer(data, np.uint8)]),
}
"""By name: bytes of a sample, and what makes numbers of them."""


class Pcm:
    """Raw samples of one format; a `Decoder`.

    Args:
        encoding: One of `FORMATS`.
        rate_hz: Samples per second and channel.
        channels: How many are interleaved.
    """

    def __init__(self, encoding: str, rate_hz: int, channels: int) -> None:
        self._size, self._numbers = FORMATS[encoding]
        self._channels = channels
        self._mixer = Mixer(channels)
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        frame = self._size * self._channels
        block = max(1, BLOCK_BYTES // frame) * frame
        data = self._rest + data
        whole = len(data) // frame * frame
        self._rest = data[whole:]
        for at in range(0, whole, block):
            numbers = self._numbers(data[at : min(at + block, whole)])
            mixed = self._mixer.mix(numbers.reshape(-1, self._channels).T)
            ready = self._resampler.push(np.ascontiguousarray(mixed))
            if len(ready):
                yield np.clip(ready, -1.0, 1.0)

    def flush(self) -> Samples:
        """Return what is still inside; half a sample waits for its other half."""
        rest: Samples = np.clip(self._resampler.flush(), -1.0, 1.0)
        return rest
