"""An Opus encoder for tests, with what aiortc's does not offer: in-band FEC, DTX, any length."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from livebot.audio.pcm import Samples
from livebot.media import opus

RATE_HZ = 48_000

_VOIP, _LOW_DELAY = 2048, 2051
_BITRATE, _COMPLEXITY, _FEC, _LOSS, _DTX = 4002, 4010, 4012, 4014, 4016
_MAX_BYTES = 1500


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to encode; the defaults are those of a browser with FEC.

    Attributes:
        frame_ms: Length of a packet; 2.5 to 120.
        channels: Both get the same.
        fec: Whether each packet carries a copy of the one before it.
        dtx: Whether silence becomes a packet of a byte or two.
        music: Whether the mode is the one without speech coding, which has no FEC.
        bitrate: Bits per second.
    """

    frame_ms: float = 20
    channels: int = 1
    fec: bool = True
    dtx: bool = False
    music: bool = False
    bitrate: int = 32_000


def encode(samples: Samples, encoding: Encoding = Encoding()) -> Iterator[bytes]:
    """Yield the packets of some mono audio at 48 kHz; what is no whole packet is left out."""
    library = opus._library()
    library.opus_encoder_create.restype = ctypes.c_void_p
    application = _LOW_DELAY if encoding.music else _VOIP
    state = ctypes.c_void_p(
        library.opus_encoder_create(RATE_HZ, encoding.channels, application, None)
    )
    for setting, value in (
        (_BITRATE, 96_000 if encoding.music else encoding.bitrate),
        (_COMPLEXITY, 5),
        (_FEC, encoding.fec),
        (_LOSS, 20 if encoding.fec else 0),
        (_DTX, encoding.dtx),
    ):
        assert library.opus_encoder_ctl(state, setting, ctypes.c_int(int(value))) == 0
    length = round(encoding.frame_ms * RATE_HZ / 1000)
    out = ctypes.create_string_buffer(_MAX_BYTES)
    try:
        for start in range(0, len(samples) - length + 1, length):
            frame = np.repeat(samples[start : start + length], encoding.channels)
            pcm = np.ascontiguousarray(frame, dtype=np.float32).ctypes
            data = pcm.data_as(ctypes.POINTER(ctypes.c_float))
            size = library.opus_encode_float(state, data, length, out, _MAX_BYTES)
            assert size > 0
            yield out.raw[:size]
    finally:
        library.opus_encoder_destroy(state)
