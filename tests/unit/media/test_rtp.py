"""Tests of `livebot.media.rtp`."""

import struct

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from livebot.media.rtp import Packet, is_rtp, parse, steps

BITS_16, BITS_32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
EXTENSION = bytes.fromhex("bede000110ff0000")


@given(
    st.builds(Packet, BITS_32, BITS_16, BITS_32, st.integers(0, 63), st.binary(max_size=50)),
    st.lists(BITS_32, max_size=15),
    st.booleans(),
    st.integers(0, 255),
)
def test_a_packet_is_read_as_aiortc_reads_it(
    packet: Packet, sources: list[int], extended: bool, padding: int
) -> None:
    """With contributing sources, extensions and padding, whatever of them there is."""
    flags = 0x80 | 0x20 * bool(padding) | 0x10 * extended | len(sources)
    numbers = packet.sequence_number, packet.timestamp, packet.ssrc
    header = struct.pack("!BBHII", flags, 0x80 | packet.payload_type, *numbers)
    header += b"".join(source.to_bytes(4, "big") for source in sources)
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    datagram = header + EXTENSION * extended + packet.payload + tail

    assert RtpPacket.parse(datagram).payload == packet.payload
    assert parse(datagram) == packet


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"\xbf\x60" + rest))
def test_what_is_no_packet_is_said_so(datagram: bytes) -> None:
    """Whatever comes, it is read as aiortc does, or refused with the documented error."""
    try:
        theirs = RtpPacket.parse(datagram)
    except ValueError:
        with pytest.raises(ValueError, match=r"packet|header|padding"):
            parse(datagram)
    else:
        assert not is_rtp(datagram) or parse(datagram).payload == theirs.payload


@pytest.mark.parametrize("first_two", [b"\x00\x01", b"\x16\xfe", b"\x80\xc8", b"\x81\xc9"])
def test_stun_dtls_and_rtcp_are_no_rtp(first_two: bytes) -> None:
    """They share the socket, and are left to aiortc."""
    assert not is_rtp(first_two + bytes(40))


@given(BITS_16, st.integers(-(2**15), 2**15 - 1))
def test_steps_go_the_short_way_round(start: int, step: int) -> None:
    """Forwards and backwards, over the wrap as well."""
    assert steps(start, (start + step) % 2**16, 16) == step
