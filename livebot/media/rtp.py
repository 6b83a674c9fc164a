"""RTP packets (RFC 3550), as far as audio needs them."""

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_WORD = 4
_VERSION = 2
_PADDING, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
_PAYLOAD_TYPE = 0x7F
_RTCP = range(192, 224)
"""What is in the second byte of RTCP; no RTP payload type may look like it (RFC 5761)."""

SSRC = slice(8, 12)
"""Where the header, which is never encrypted, says whose packet it is."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet; the names are RFC 3550's, and aiortc's."""

    ssrc: int
    sequence_number: int
    timestamp: int
    payload_type: int
    payload: bytes


def is_rtp(datagram: bytes) -> bool:
    """Tell RTP from the RTCP, STUN and DTLS on the same socket (RFC 7983)."""
    return (
        len(datagram) >= _HEADER.size and datagram[0] >> 6 == _VERSION and datagram[1] not in _RTCP
    )


def parse(datagram: bytes) -> Packet:
    """Read a packet; contributing sources and header extensions are skipped.

    Raises:
        ValueError: It is not RTP, or shorter than it says.
    """
    if not is_rtp(datagram):
        raise ValueError("not an RTP packet")
    flags, kind, sequence_number, timestamp, ssrc = _HEADER.unpack_from(datagram)
    start = _HEADER.size + _WORD * (flags & _SOURCES)
    if flags & _EXTENDED:
        if start + _EXTENSION.size > len(datagram):
            raise ValueError("the header extension is cut short")
        _, words = _EXTENSION.unpack_from(datagram, start)
        start += _EXTENSION.size + _WORD * words
    end = len(datagram)
    if flags & _PADDING:
        if not datagram[-1]:
            raise ValueError("padding of no length")
        end -= datagram[-1]
    if end < start:
        raise ValueError("the packet is shorter than its header says")
    payload = datagram[start:end]
    return Packet(ssrc, sequence_number, timestamp, kind & _PAYLOAD_TYPE, payload)


def steps(start: int, end: int, bits: int) -> int:
    """Return the shortest way between two counters of so many bits, backwards negative."""
    half = 1 << (bits - 1)
    return (end - start + half) % (2 * half) - half
