"""Opus packets to samples at the rate of the engines."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.errors import MediaError, RequestError
from livebot.live.decoder import NOTHING
from livebot.media import opus
from livebot.media.frame import RATE_HZ as OPUS_HZ

MOST_BAD: Final = 50
"""So many packets in a row that cannot be decoded are no Opus: a second of the usual ones."""

MOST_PACKET_BYTES: Final = 61_440
"""48 frames of 1,275 bytes, in round numbers: none is longer (RFC 6716, section 3.2)."""

_AT_ONCE: Final = OPUS_HZ // 5
"""Samples given out together, or all there are: fewer calls, and never much work at once."""

_HEAD: Final = b"OpusHead"
_HEAD_BYTES: Final = 19


class OpusPackets:
    """One stream of packets, each as it was encoded.

    Args:
        skip: Samples at the beginning that are none of the recording.

    Raises:
        RequestError: There is no libopus on this machine.
    """

    def __init__(self, skip: int = 0) -> None:
        try:
            self._decoder = opus.Decoder()
        except MediaError:
            raise RequestError("Opus cannot be decoded here: send pcm_s16le") from None
        self._resampler = Resampler(OPUS_HZ, RATE_HZ)
        self._skip = skip
        self._bad = 0
        self._ready: list[Samples] = []
        self._count = 0

    def decode(self, packet: bytes) -> Iterator[Samples]:
        """Take a packet in; yield some samples, or none yet.

        Raises:
            RequestError: Nothing that came lately is Opus.
        """
        if not packet:
            return
        is_opus = len(packet) <= MOST_PACKET_BYTES and opus.is_valid(packet)
        samples = self._decoder.decode(packet) if is_opus else None
        if samples is None:
            self._bad += 1
            if self._bad >= MOST_BAD:
                raise RequestError("these are no Opus packets")
            return
        self._bad = 0
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        self._ready.append(samples[skipped:])
        self._count += len(samples) - skipped
        if self._count >= _AT_ONCE:
            yield self.take()

    def take(self) -> Samples:
        """Return what was decoded and not given out."""
        ready, self._ready, self._count = self._ready, [], 0
        if not ready:
            return NOTHING
        return _cut(self._resampler.push(np.concatenate(ready)))

    def flush(self) -> Samples:
        """Return what is still inside."""
        return np.concatenate([self.take(), _cut(self._resampler.flush())])


class OpusMessages:
    """One packet per message; a `Decoder`."""

    def __init__(self) -> None:
        self._packets = OpusPackets()

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        yield from self._packets.decode(data)
        if len(rest := self._packets.take()):
            yield rest

    def flush(self) -> Samples:
        """Return what is still inside."""
        return self._packets.flush()


def skip_of(head: bytes) -> int:
    """Return how many samples a stream begins with that are none of the recording.

    Args:
        head: The identification header (RFC 7845, section 5.1).

    Raises:
        RequestError: It is none.
    """
    if not head.startswith(_HEAD) or len(head) < _HEAD_BYTES:
        raise RequestError("only Opus is understood in a container: record with codecs=opus")
    return int.from_bytes(head[10:12], "little")


def _cut(samples: Samples) -> Samples:
    """Cut off what a change of the rate made too loud."""
    cut: Samples = np.clip(samples, -1.0, 1.0)
    return cut
