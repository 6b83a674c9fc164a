"""Raw samples, as `arecord` and `ffmpeg` write them to a pipe."""

from collections.abc import Callable
from typing import Final

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.errors import ConfigError, RecordingError

Decode = Callable[[bytes], Samples]


def _integers(kind: str, scale: int) -> Decode:
    def decode(data: bytes) -> Samples:
        samples: Samples = np.frombuffer(data, kind).astype(np.float32)
        samples /= scale
        return samples

    return decode


def _u8(data: bytes) -> Samples:
    samples: Samples = np.frombuffer(data, np.uint8).astype(np.float32)
    samples -= 128
    samples /= 128
    return samples


def _s24le(data: bytes) -> Samples:
    parts = np.frombuffer(data, np.uint8).reshape(-1, 3)
    padded = np.zeros((len(parts), 4), np.uint8)
    padded[:, 1:] = parts
    return _integers("<i4", 1 << 31)(padded.tobytes())


def _f32le(data: bytes) -> Samples:
    samples = np.nan_to_num(np.frombuffer(data, "<f4"), nan=0.0, posinf=1.0, neginf=-1.0)
    clipped: Samples = np.clip(samples, -1.0, 1.0)
    return clipped


FORMATS: Final[dict[str, tuple[int, Decode]]] = {
    "s16le": (2, _integers("<i2", 1 << 15)),
    "s16be": (2, _integers(">i2", 1 << 15)),
    "s24le": (3, _s24le),
    "s32le": (4, _integers("<i4", 1 << 31)),
    "f32le": (4, _f32le),
    "u8": (1, _u8),
}
"""By FFmpeg's names: bytes of a sample, and how they are read."""

_FILES: Final = {
    b"RIFF": "a WAV file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\x1aE\xdf\xa3": "a WebM or Matroska file",
}
"""What files begin with, and samples hardly ever."""


def format_of(name: str) -> str:
    """Return a key of `FORMATS` from a name as FFmpeg or ALSA (`S16_LE`) spells it.

    Raises:
        ConfigError: There is none.
    """
    plain = name.lower().replace("_", "").replace("float", "f32")
    if plain not in FORMATS:
        raise ConfigError(f"--format {name}: there is no such form; have {', '.join(FORMATS)}")
    return plain


class RawReader:
    """Bytes in, samples at `RATE_HZ` out.

    Args:
        form: One of `FORMATS`.
        rate_hz: Of what comes.
        channels: Of what comes; they are mixed.
    """

    def __init__(self, form: str, rate_hz: int, channels: int) -> None:
        size, self._decode = FORMATS[form]
        self._frame = size * channels
        self._channels = channels
        self._rest = b""
        self._has_begun = False
        self._resampler = Resampler(rate_hz, RATE_HZ)

    def push(self, data: bytes) -> Samples:
        """Take bytes, cut anywhere, and return the samples that are ready.

        Raises:
            RecordingError: They are the beginning of a file.
        """
        data = self._rest + data
        if not self._has_begun:
            self._check(data)
            self._has_begun = bool(data)
        whole = len(data) - len(data) % self._frame
        self._rest = data[whole:]
        mixed = self._decode(data[:whole]).reshape(-1, self._channels).mean(axis=1)
        return self._resampler.push(mixed.astype(np.float32))

    def flush(self) -> Samples:
        """Return what is still inside."""
        return self._resampler.flush()

    def _check(self, data: bytes) -> None:
        for begin, what in _FILES.items():
            if data.startswith(begin):
                raise RecordingError(
                    f"this is {what}, and no raw samples: livebot transcribe - takes it, or"
                    " ffmpeg -i FILE -f s16le -ac 1 -ar 16000 - makes samples of it"
                )
