"""Ogg pages with Opus in them, however they are cut (RFC 3533, RFC 7845; pure but for Opus).

Streams may follow each other, as where a recorder is started anew. Of several at once the first
one that is Opus counts.
"""

from collections.abc import Iterator
from typing import Final

from livebot.audio.pcm import Samples
from livebot.errors import RequestError
from livebot.live.decoder import NOTHING, PARTS_AT_ONCE
from livebot.live.opus import MOST_PACKET_BYTES, OpusPackets, skip_of

MAGIC: Final = b"OggS"

MOST_HEADER_BYTES: Final = 1 << 20
"""Of a packet of tags, which may have a picture in it; it is not kept."""

_FIXED: Final = 27
_FULL: Final = 255
_CONTINUED, _FIRST = 1, 2


class Ogg:
    """One client's pages; a `Decoder`."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._serial: bytes | None = None
        self._packets: OpusPackets | None = None
        self._tags = False  # the packet of tags comes next
        self._packet = bytearray()
        self._length = 0  # of the packet that has begun, what is not kept included
        self._is_broken = False  # its beginning is missing

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        self._data += data
        number = 0
        while (page := self._page()) is not None:
            yield from self._take(*page)
            number += 1
            if number % PARTS_AT_ONCE == 0:
                yield NOTHING
        if self._packets is not None and len(rest := self._packets.take()):
            yield rest

    def flush(self) -> Samples:
        """Return what is still inside of the decoder."""
        return NOTHING if self._packets is None else self._packets.flush()

    def _page(self) -> tuple[bytes, bytes, bytes] | None:
        """Take a whole page: its fixed part, the sizes of its segments, and these."""
        data = self._data
        if not MAGIC.startswith(data[: len(MAGIC)]):
            raise RequestError("this is no Ogg: a page must begin with OggS")
        if len(data) < _FIXED or len(data) < _FIXED + data[_FIXED - 1]:
            return None
        begin = _FIXED + data[_FIXED - 1]
        sizes = bytes(data[_FIXED:begin])
        if len(data) < (end := begin + sum(sizes)):
            return None
        page = bytes(data[:_FIXED]), sizes, bytes(data[begin:end])
        del data[:end]
        return page

    def _take(self, fixed: bytes, sizes: bytes, body: bytes) -> Iterator[Samples]:
        flags, serial = fixed[5], fixed[14:18]
        if flags & _FIRST:
            yield from self._begin(serial, sizes, body)
            return
        if serial != self._serial or self._packets is None:
            return
        if not flags & _CONTINUED:
            self._packet.clear()
            self._length, self._is_broken = 0, False
        elif not self._length:
            self._is_broken = True
        at = 0
        for size in sizes:
            self._add(body[at : at + size])
            at += size
            if size < _FULL:
                yield from self._end()

    def _begin(self, serial: bytes, sizes: bytes, body: bytes) -> Iterator[Samples]:
        """Begin a stream with its identification header, which has a page of its own."""
        is_opus = body.startswith(b"OpusHead")
        if not is_opus and self._serial is None:
            skip_of(body)
        if not is_opus:
            return  # something else beside the sound
        if self._packets is not None and len(rest := self._packets.flush()):
            yield rest
        self._serial, self._packets = serial, OpusPackets(skip_of(body[: sum(sizes)]))
        self._tags = True
        self._packet.clear()
        self._length, self._is_broken = 0, False

    def _add(self, segment: bytes) -> None:
        self._length += len(segment)
        if self._length > (MOST_HEADER_BYTES if self._tags else MOST_PACKET_BYTES):
            raise RequestError("a packet in this Ogg is too long for Opus")
        if not self._tags:
            self._packet += segment

    def _end(self) -> Iterator[Samples]:
        """Decode a packet that is whole."""
        packet, is_whole = bytes(self._packet), not self._is_broken
        self._packet.clear()
        self._length, self._is_broken = 0, False
        if self._tags:
            self._tags = False
        elif is_whole and self._packets is not None:
            yield from self._packets.decode(packet)
