"""What livebot touches in aiortc and aioice is still where and what it was.

When a new version of them fails here, read `livebot/media/fixes.py` and `receiver.py` anew.
"""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from aioice.ice import StunProtocol, get_host_addresses
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpReceiver
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket

from livebot.media import fixes
from livebot.media.receiver import AudioReceiver
from livebot.media.rtp import Packet

CALLED: list[tuple[Callable[..., Any], list[str]]] = [
    (fixes._create_ssl_context, ["self", "srtp_profiles"]),
    (fixes._query_consent, ["self"]),
    (fixes._delete, ["self"]),
    (StunProtocol.datagram_received, ["self", "data", "addr"]),
    (RTCDtlsTransport._register_rtp_receiver, ["self", "receiver", "parameters"]),
    (RTCDtlsTransport._send_rtp, ["self", "data"]),
    (RTCRtpReceiver.receive, ["self", "parameters"]),
    (StreamStatistics.add, ["self", "packet"]),
    (get_host_addresses, ["use_ipv4", "use_ipv6"]),
]


@pytest.mark.parametrize(("function", "parameters"), CALLED)
def test_what_is_called_or_replaced_takes_the_same(
    function: Callable[..., Any], parameters: list[str]
) -> None:
    """Each function is there, with these parameters."""
    assert list(inspect.signature(function).parameters) == parameters


def test_our_receiver_is_one_to_aiortc() -> None:
    """It has what aiortc asks of one, with the same parameters."""
    asked = [name for name in vars(RtpReceiver) if name.startswith("_handle_")]

    assert len(asked) == 3
    for name in asked:
        theirs = inspect.signature(getattr(RtpReceiver, name))
        ours = inspect.signature(getattr(AudioReceiver, name))
        assert list(ours.parameters) == list(theirs.parameters), name


async def test_a_connection_has_what_is_looked_at() -> None:
    """The way from a peer connection down to its sockets and keys."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = pc.addTransceiver("audio", direction="recvonly")
    dtls = transceiver.receiver.transport

    assert "_rx_srtp" in vars(dtls)
    assert isinstance(transceiver.sender._ssrc, int)
    assert hasattr(transceiver.receiver, "track")
    assert dtls.transport._connection._protocols == []
    assert dtls.transport._connection._closing is False
    assert "datagram_received" not in vars(StunProtocol(dtls.transport._connection))
    await pc.close()


def test_a_packet_counts_for_statistics_as_one_of_aiortcs() -> None:
    """They look at nothing that ours does not have."""
    ours, theirs = StreamStatistics(48_000), StreamStatistics(48_000)
    for number in (1, 2, 4, 3, 9):
        ours.add(Packet(5, number, number * 960, 111, b""))  # type: ignore[arg-type]
        theirs.add(RtpPacket(111, 0, number, number * 960, 5))

    assert (ours.packets_lost, ours.max_seq) == (theirs.packets_lost, theirs.max_seq) == (4, 9)
