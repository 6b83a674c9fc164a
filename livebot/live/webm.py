"""WebM with Opus in it, as browsers record it, however it is cut (pure but for Opus).

A file may follow another, as where a recorder is started anew. Of several tracks the first one
that is Opus counts. The times of blocks do not: sound goes on where it ended.
"""

from collections.abc import Iterator
from typing import Final

from livebot.audio.pcm import Samples
from livebot.errors import RequestError
from livebot.live.decoder import NOTHING, PARTS_AT_ONCE
from livebot.live.ebml import Elements
from livebot.live.opus import OpusPackets, skip_of

_EBML, _SEGMENT, _CLUSTER, _GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA0
_TRACKS, _TRACK, _NUMBER, _CODEC, _PRIVATE = 0x1654AE6B, 0xAE, 0xD7, 0x86, 0x63A2
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_INSIDE: Final = frozenset({_SEGMENT, _CLUSTER, _GROUP, _TRACKS, _TRACK})
_DESCRIPTION: Final = frozenset({_NUMBER, _CODEC, _PRIVATE})
_WANTED: Final = _DESCRIPTION | {_EBML, _SIMPLE_BLOCK, _BLOCK}

_OPUS: Final = b"A_OPUS"
_LACING: Final = 0x06
_AFTER_TRACK: Final = 3
"""Bytes of a block between the number of its track and its packet: a time and flags."""


class WebM:
    """One client's file; a `Decoder`."""

    def __init__(self) -> None:
        self._elements = Elements(_INSIDE, _WANTED)
        self._track: dict[int, bytes] = {}
        self._number: int | None = None  # of the track that is decoded
        self._packets: OpusPackets | None = None

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        for number, (name, content) in enumerate(self._elements.feed(data), 1):
            yield from self._take(name, content)
            if number % PARTS_AT_ONCE == 0:
                yield NOTHING
        if self._packets is not None and len(rest := self._packets.take()):
            yield rest

    def flush(self) -> Samples:
        """Return what is still inside of the decoder."""
        return NOTHING if self._packets is None else self._packets.flush()

    def _take(self, name: int, content: bytes) -> Iterator[Samples]:
        if name == _EBML:
            if len(rest := self.flush()):
                yield rest
            self._number, self._packets = None, None
        elif name == _TRACK:
            self._track = {}
        elif name in _DESCRIPTION:
            self._track[name] = content
            self._choose()
        elif name == _CLUSTER and self._number is None:
            raise RequestError("only Opus is understood in WebM: record with codecs=opus")
        elif name in (_SIMPLE_BLOCK, _BLOCK):
            yield from self._decode(content)

    def _choose(self) -> None:
        """Decode the track that is being described, once it is known to be Opus."""
        track = self._track
        if self._number is not None or len(track) < len(_DESCRIPTION):
            return
        if track[_CODEC].rstrip(b"\0") == _OPUS:
            self._number = int.from_bytes(track[_NUMBER], "big")
            self._packets = OpusPackets(skip_of(track[_PRIVATE]))

    def _decode(self, block: bytes) -> Iterator[Samples]:
        # The number of a track is one byte long in all that browsers write.
        length = 9 - block[0].bit_length() if block else 9
        head = length + _AFTER_TRACK
        if len(block) < head:
            raise RequestError("this WebM has a block that is too short")
        number = int.from_bytes(block[:length], "big") & ((1 << 7 * length) - 1)
        if number != self._number or self._packets is None:
            return
        if block[head - 1] & _LACING:
            raise RequestError("this WebM has blocks of several packets: record without lacing")
        yield from self._packets.decode(block[head:])
