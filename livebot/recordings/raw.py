"""Samples without a header, as they come through a pipe from a recorder."""

from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any, Final

import numpy as np

from livebot.audio.pcm import Samples
from livebot.audio.resample import Resampler
from livebot.errors import AudioError
from livebot.recordings.decode import MAX_RATE_HZ, MIN_RATE_HZ
from livebot.recordings.mono import Mixer, to_float

SAMPLE_FORMATS: Final[dict[str, np.dtype[Any]]] = {
    "u8": np.dtype("u1"),
    "s16le": np.dtype("<i2"),
    "s16be": np.dtype(">i2"),
    "s32le": np.dtype("<i4"),
    "s32be": np.dtype(">i4"),
    "f32le": np.dtype("<f4"),
    "f32be": np.dtype(">f4"),
    "f64le": np.dtype("<f8"),
    "f64be": np.dtype(">f8"),
}
"""By FFmpeg's names."""

MAX_CHANNELS: Final = 64

BLOCK_S: Final = 0.1
"""At most so much is read at once; less where less is there."""


def raw_blocks(
    stream: BufferedIOBase,
    *,
    rate: int,
    channels: int = 1,
    sample_format: str = "s16le",
    to_hz: int | None = None,
) -> Iterator[Samples]:
    """Read samples as they come, until the stream ends.

    Args:
        stream: Like `sys.stdin.buffer`; what has `read1`.
        rate: Its samples per second and channel.
        channels: How many are interleaved; they are mixed as those of files are.
        sample_format: One of `SAMPLE_FORMATS`.
        to_hz: The rate of what is returned; `rate` where it is None.

    Yields:
        Mono float32 in [-1, 1], at most about 0.1 s. Half a sample at the end is left out.

    Raises:
        AudioError: There is no such format, rate or number of channels.
        OSError: The stream cannot be read.
    """
    _check(rate, channels, sample_format)
    kind = SAMPLE_FORMATS[sample_format]
    return _blocks(stream, rate, channels, kind, to_hz or rate)


def _check(rate: int, channels: int, sample_format: str) -> None:
    if sample_format not in SAMPLE_FORMATS:
        raise AudioError(
            f"no sample format {sample_format!r}; have {', '.join(sorted(SAMPLE_FORMATS))}"
        )
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise AudioError(f"no rate of {rate} Hz; have {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"no {channels} channels; have 1 to {MAX_CHANNELS}")


def _blocks(
    stream: BufferedIOBase, rate: int, channels: int, kind: np.dtype[Any], to_hz: int
) -> Iterator[Samples]:
    size = kind.itemsize * channels
    mixer, resampler = Mixer(channels), Resampler(rate, to_hz)
    rest = b""
    while data := stream.read1(max(1, int(rate * BLOCK_S)) * size):
        rest += data
        whole = len(rest) // size * size
        samples = np.frombuffer(rest[:whole], kind).reshape(-1, channels).T
        rest = rest[whole:]
        ready = resampler.push(mixer.mix(to_float(samples)))
        if ready.size:
            yield np.clip(ready, -1.0, 1.0)
    if (ready := resampler.flush()).size:
        yield np.clip(ready, -1.0, 1.0)
