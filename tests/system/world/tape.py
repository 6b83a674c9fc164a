"""A microphone that plays Opus packets made beforehand: many people talk in one process."""

import asyncio
import time
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, Packet

from tests.system.world.recording import RATE_HZ, Sound

FRAME = 960
"""20 ms, what a browser sends in one packet."""

FRAME_S = FRAME / RATE_HZ
_BIT_RATE = 32_000
"""What Chromium sends of a voice."""

_TIME_BASE = Fraction(1, RATE_HZ)


def packets(sound: Sound) -> tuple[bytes, ...]:
    """Encode *sound*, 20 ms a packet."""
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate = _BIT_RATE
    codec.options = {"application": "voip"}
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", RATE_HZ
    codec.time_base = _TIME_BASE
    found: list[bytes] = []
    for start in range(0, len(sound) - FRAME + 1, FRAME):
        piece = np.ascontiguousarray(sound[start : start + FRAME]).reshape(1, -1)
        frame = AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = start
        found += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(found)


@cache
def _silence() -> bytes:
    return packets(np.zeros(10 * FRAME, dtype=np.int16))[-1]


class Tape(MediaStreamTrack):
    """Plays packets in real time, and silence after them."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._started: float | None = None
        self._sent = 0
        self._left: Sequence[bytes] = ()
        self._next = 0

    def play(self, left: Sequence[bytes], index: int = 0) -> None:
        """Play *left* from its packet *index* on, whatever was being played."""
        self._left, self._next = left, index

    async def recv(self) -> "Packet[Any]":
        """Return the next 20 ms when they are over, as a sound card does."""
        if self.readyState != "live":
            raise MediaStreamError
        self._started = self._started or time.monotonic()
        # Against a fixed beginning, so that lateness does not add up.
        await asyncio.sleep(self._started + (self._sent + 1) * FRAME_S - time.monotonic())
        has_more = self._next < len(self._left)
        packet = Packet(self._left[self._next] if has_more else _silence())
        packet.pts = self._sent * FRAME
        packet.time_base = _TIME_BASE
        self._next += 1
        self._sent += 1
        return packet
