"""WAV as it is written before its length is known, however it is cut (pure)."""

from collections.abc import Iterator
from itertools import count
from typing import Final

from livebot.audio.pcm import Samples
from livebot.errors import RequestError
from livebot.live.decoder import NOTHING, PARTS_AT_ONCE
from livebot.live.options import MAX_RATE_HZ, MIN_RATE_HZ, MOST_CHANNELS
from livebot.live.pcm import Pcm

MAGIC: Final = b"RIFF"

_FORMATS: Final = {
    (1, 8): "pcm_u8",
    (1, 16): "pcm_s16le",
    (1, 24): "pcm_s24le",
    (1, 32): "pcm_s32le",
    (3, 32): "pcm_f32le",
    (3, 64): "pcm_f64le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
"""By the number of the format and bits per sample."""

_EXTENSIBLE: Final = 0xFFFE
_CHUNK: Final = 8
_RIFF: Final = 12
_LEAST_FORMAT, _LEAST_EXTENSIBLE, _MOST_FORMAT = 16, 26, 4096
_ENDLESS: Final = 0x7FFF0000
"""A length from here on is none: who writes it does not know yet. Nor does who writes 0."""


class Wav:
    """One client's file; a `Decoder`."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._begun = False
        self._leave_out = 0
        self._pcm: Pcm | None = None
        self._samples = 0  # bytes of them that follow

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        self._data += data
        for number in count(1):
            while not self._samples and self._header():
                pass
            if self._pcm is None or not self._samples or not self._data:
                return
            yield from self._pcm.feed(self._next(self._samples))
            if number % PARTS_AT_ONCE == 0:
                yield NOTHING

    def flush(self) -> Samples:
        """Return what is still inside of what changes the rate."""
        return NOTHING if self._pcm is None else self._pcm.flush()

    def _next(self, most: int) -> bytes:
        size = min(most, len(self._data))
        samples = bytes(self._data[:size])
        del self._data[:size]
        self._samples -= size
        return samples

    def _header(self) -> bool:
        """Take one more part of what is around the samples; return False if it is not whole."""
        left_out = min(self._leave_out, len(self._data))
        del self._data[:left_out]
        self._leave_out -= left_out
        if not self._begun:
            return self._riff()
        if len(self._data) < _CHUNK or self._leave_out:
            return False
        name, size = bytes(self._data[:4]), int.from_bytes(self._data[4:_CHUNK], "little")
        if name == b"fmt ":
            return self._format(size)
        if name == b"data" and self._pcm is None:
            raise RequestError("this WAV has samples before it says what they are")
        del self._data[:_CHUNK]
        if name == b"RIFF":
            self._begun = False  # another file
            self._data[:0] = name + size.to_bytes(4, "little")
        elif name == b"data":
            is_known = 0 < size < _ENDLESS
            self._samples = size if is_known else _ENDLESS << 32
            self._leave_out = size % 2 if is_known else 0
        else:
            self._leave_out = size + size % 2
        return True

    def _riff(self) -> bool:
        head = self._data[:_RIFF]
        if not MAGIC.startswith(head[:4]) or not b"WAVE".startswith(head[8:]):
            raise RequestError("this is no WAV: it must begin with RIFF and WAVE")
        if len(head) < _RIFF:
            return False
        self._begun = True
        del self._data[:_RIFF]
        return True

    def _format(self, size: int) -> bool:
        if not _LEAST_FORMAT <= size <= _MOST_FORMAT:
            raise RequestError("this WAV says nothing sensible of its samples")
        if len(self._data) < _CHUNK + size:
            return False
        chunk = self._data[_CHUNK : _CHUNK + size]
        kind, channels = (int.from_bytes(chunk[at : at + 2], "little") for at in (0, 2))
        rate, bits = int.from_bytes(chunk[4:8], "little"), int.from_bytes(chunk[14:16], "little")
        if kind == _EXTENSIBLE and size >= _LEAST_EXTENSIBLE:
            kind = int.from_bytes(chunk[24:26], "little")
        name = _FORMATS.get((kind, bits))
        is_possible = MIN_RATE_HZ <= rate <= MAX_RATE_HZ and 1 <= channels <= MOST_CHANNELS
        if name is None or not is_possible:
            raise RequestError("this WAV has a format, rate or number of channels that is not had")
        self._pcm = Pcm(name, rate, channels)
        self._leave_out = _CHUNK + size + size % 2
        return True
