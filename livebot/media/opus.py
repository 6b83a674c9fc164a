"""Opus packets to samples, by libopus.

aiortc decodes through FFmpeg, which neither conceals lost packets nor reads the copy of
the packet before that many Opus packets carry (in-band FEC, RFC 6716 section 2.1.7).
"""

import ctypes
from pathlib import Path

import av
import numpy as np

from livebot.audio.pcm import Samples, from_s16_mono, silence
from livebot.errors import MediaError
from livebot.media.frame import RATE_HZ

STEP = RATE_HZ // 400
"""2.5 ms in samples: the shortest frame; a guess has a multiple of it."""

MAX_SAMPLES = RATE_HZ * 120 // 1000
"""120 ms: the longest packet."""

_SHIPPED = Path(av.__file__).parents[1] / "av.libs"
"""The libraries in PyAV's wheel, which is here in any case, its libopus a recent one."""

_SYSTEM = "libopus.so.0"

_MAX_FRAMES = 48
_MAX_SILK_FRAME = RATE_HZ // 50
_CELT_ONLY, _STEREO = 0x80, 0x04
"""Bits of a packet's first byte (RFC 6716 section 3.1)."""


def _load() -> ctypes.CDLL | None:
    for path in (*sorted(_SHIPPED.glob("libopus-*.so*")), _SYSTEM):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        sample, size = ctypes.POINTER(ctypes.c_int16), ctypes.c_int32
        library.opus_decoder_init.argtypes = [ctypes.c_void_p, size, ctypes.c_int]
        library.opus_decode.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, size),
            *(sample, ctypes.c_int, ctypes.c_int),
        ]
        library.opus_packet_parse.argtypes = [
            *(ctypes.c_char_p, size, ctypes.c_void_p),
            *(ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int16), ctypes.c_void_p),
        ]
        library.opus_packet_get_samples_per_frame.argtypes = [ctypes.c_char_p, size]
        return library
    return None


_LIBRARY = _load()


def is_valid(payload: bytes) -> bool:
    """Say whether a payload has the form of an Opus packet."""
    return bool(_first_frame(payload)[0])


def fec_samples(payload: bytes) -> int:
    """Return how much of the audio right before a packet is in it a second time, 0 if none.

    libopus tells it itself only from 1.5 on; without such a copy it would conceal and not say so.
    """
    count, first = _first_frame(payload)
    if not count or not first or payload[0] & _CELT_ONLY:
        return 0
    samples: int = _library().opus_packet_get_samples_per_frame(payload, RATE_HZ)
    # One bit for each SILK frame with voice, then the one that is asked for; in stereo twice.
    bits = max(1, samples // _MAX_SILK_FRAME)
    flags = 1 << (7 - bits)
    if payload[0] & _STEREO:
        flags |= 1 << (6 - 2 * bits)
    return samples if first[0] & flags else 0


def _first_frame(payload: bytes) -> tuple[int, bytes]:
    """Return how many frames a packet has, 0 for none, and the first byte of the first one."""
    frames = (ctypes.c_void_p * _MAX_FRAMES)()
    sizes = (ctypes.c_int16 * _MAX_FRAMES)()
    count: int = _library().opus_packet_parse(payload, len(payload), None, frames, sizes, None)
    if count <= 0:
        return 0, b""
    return count, ctypes.string_at(frames[0] or 0, 1) if sizes[0] else b""


def _library() -> ctypes.CDLL:
    if _LIBRARY is None:
        raise MediaError("libopus was not found: install it (Debian: libopus0) or PyAV's wheel")
    return _LIBRARY


class Decoder:
    """Decodes one stream to mono at 48 kHz, whatever its packets are.

    Raises:
        MediaError: There is no libopus on this machine.
    """

    def __init__(self) -> None:
        self._opus = _library()
        # Memory of ours: it goes when the decoder goes, and nobody has to destroy it.
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        self._pcm = np.empty(MAX_SAMPLES, dtype=np.int16)
        self._out = self._pcm.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        self._was_celt = False
        self.reset()

    def reset(self) -> None:
        """Forget what was decoded: another stream begins."""
        self._was_celt = False
        self._opus.opus_decoder_init(self._state, RATE_HZ, 1)

    def decode(self, payload: bytes) -> Samples | None:
        """Decode a packet, which is not empty; None if it is none."""
        samples = self._decode(payload, MAX_SAMPLES, fec=False)
        if samples is not None:
            self._was_celt = bool(payload[0] & _CELT_ONLY)
        return samples

    def conceal(self, count: int) -> Samples:
        """Guess what came after the last packet; `count` is a multiple of `STEP`."""
        return self._made_up(None, count, fec=False)

    def restorable(self, payload: bytes) -> int:
        """Return how many samples before a packet `restore()` can bring back from it."""
        # After a packet of music libopus makes a guess instead.
        return 0 if self._was_celt else fec_samples(payload)

    def restore(self, payload: bytes) -> Samples:
        """Decode what a packet holds of the one before it; `restorable()` said that it does."""
        return self._made_up(payload, fec_samples(payload), fec=True)

    def _made_up(self, payload: bytes | None, count: int, *, fec: bool) -> Samples:
        samples = self._decode(payload, count, fec=fec)
        return silence(count) if samples is None else samples

    def _decode(self, payload: bytes | None, count: int, *, fec: bool) -> Samples | None:
        length = 0 if payload is None else len(payload)
        made = self._opus.opus_decode(self._state, payload, length, self._out, count, fec)
        return from_s16_mono(self._pcm[:made]) if made > 0 else None
