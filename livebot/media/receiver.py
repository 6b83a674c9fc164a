"""Takes a peer's audio packets over from aiortc.

aiortc keeps what is not audio: ICE, the DTLS handshake, RTCP parsing. Its own receiver would
wait four packets ahead for ever after a loss, drop what it waits for, and decode in a thread
per speaker behind unbounded queues. It is never started; this one registers in its place.

The first packets of a source come by aiortc's own way, which sorts out whose they are. From
then on they are taken at the socket, past two queues and two tasks.

`tests/unit/media/test_contract.py` fails with a clear message when a new version of aiortc or
aioice moves what is touched here.
"""

import asyncio
import math
import random
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aioice.ice import StunProtocol
from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import AnyRtcpPacket, RtcpByePacket, RtcpSrPacket, RtpPacket

from livebot.media.frame import Frame, PacketCounts
from livebot.media.inbox import Inbox
from livebot.media.reports import MAX_SOURCES, ReceiverReports
from livebot.media.rtp import SSRC, Packet, is_rtp, parse
from livebot.media.stream import AudioStream

_OPUS = "audio/opus"
_REPLAYED = "replay check failed (bad index)"

_HandOn = Callable[[bytes, tuple[Any, ...]], None]


class AudioReceiver:
    """One peer's audio, from the socket to frames; to aiortc, a receiver like its own.

    Attributes:
        counts: What became of the packets so far.

    Raises:
        MediaError: There is no libopus on this machine.
    """

    def __init__(self) -> None:
        self.counts = PacketCounts()
        self._loop = asyncio.get_running_loop()
        self._stream = AudioStream(self.counts)
        self._inbox = Inbox()
        self._reports = ReceiverReports()
        self._reporting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sources: set[bytes] = set()
        self._path_at = self._audio_at = -math.inf

    @property
    def audio_age_s(self) -> float:
        """Return how long no audio has come; infinite before the first."""
        return self._loop.time() - self._audio_at

    @property
    def path_age_s(self) -> float:
        """Return how long nothing at all has come; infinite before the first."""
        return self._loop.time() - self._path_at

    async def receive(self) -> Frame | None:
        """Return the next frame; None when no more will come. May be cancelled at any time."""
        return await self._inbox.get()

    def register(self, pc: RTCPeerConnection) -> None:
        """Receive what is negotiated, in place of aiortc's receivers; after each offer."""
        self._sources.clear()
        for transceiver in _audio(pc):
            transceiver.receiver.receive = self._starter(transceiver)  # type: ignore[method-assign]

    def listen(self, pc: RTCPeerConnection) -> None:
        """Listen at the sockets; once there are some, which is after each answer."""
        for transceiver in _audio(pc):
            dtls = transceiver.receiver.transport
            for protocol in dtls.transport._connection._protocols:  # noqa: SLF001
                if "datagram_received" not in vars(protocol):
                    self._listen_at(protocol, dtls)

    async def close(self) -> None:
        """Receive no more."""
        self._inbox.end()
        if self._timer is not None:
            self._timer.cancel()
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.wait([self._reporting])

    def _starter(self, transceiver: RTCRtpTransceiver) -> Callable[..., Any]:
        """Return what aiortc calls when the handshake of a section is done, each time."""

        async def start(parameters: RTCRtpReceiveParameters) -> None:
            if self._inbox.has_ended:
                return
            dtls = transceiver.receiver.transport
            self._stream.payload_types |= {
                codec.payloadType
                for codec in parameters.codecs
                if codec.mimeType == _OPUS and codec.payloadType is not None
            }
            dtls._register_rtp_receiver(self, parameters)  # noqa: SLF001
            if self._reporting is None:
                ssrc = transceiver.sender._ssrc  # noqa: SLF001
                self._reporting = asyncio.create_task(self._report(dtls, ssrc), name="rtcp")

        return start

    async def _report(self, dtls: RTCDtlsTransport, ssrc: int) -> None:
        """Send receiver reports, at times that differ between receivers."""
        while True:
            await asyncio.sleep(0.5 + random.random())  # noqa: S311
            report = self._reports.make(ssrc, self._loop.time())
            if report:
                try:
                    await dtls._send_rtp(report)  # noqa: SLF001
                except ConnectionError:
                    return

    def _listen_at(self, protocol: StunProtocol, dtls: RTCDtlsTransport) -> None:
        hand_on: _HandOn = protocol.datagram_received

        def received(datagram: bytes, addr: tuple[Any, ...]) -> None:
            # Anybody can send one that is empty, and aiortc ends the connection at that.
            if not datagram:
                return
            self._path_at = self._loop.time()
            if datagram[SSRC] in self._sources and is_rtp(datagram):
                self._take_encrypted(datagram, dtls)
            else:
                hand_on(datagram, addr)

        protocol.datagram_received = received  # type: ignore[method-assign,assignment]

    def _take_encrypted(self, datagram: bytes, dtls: RTCDtlsTransport) -> None:
        try:
            packet = parse(dtls._rx_srtp.unprotect(datagram))  # noqa: SLF001
        except (pylibsrtp.Error, ValueError) as exc:
            # Not from the media server, or no second time: SRTP takes each packet once only.
            self.counts.duplicate += str(exc) == _REPLAYED
            return
        self._take(packet)

    def _take(self, packet: Packet) -> None:
        if self._inbox.has_ended:
            return
        now = self._loop.time()
        self._reports.add(packet)
        self._give(self._stream.push(packet, now), now)
        self._arm()

    def _give(self, frames: list[Frame], now: float) -> None:
        # Packets that cannot be decoded are no audio, however many come.
        if frames:
            self._audio_at = now
            self._inbox.put(frames)

    def _arm(self) -> None:
        """See to it that nothing waits for a lost packet if no other comes either."""
        # A deadline is only ever put off: a timer that is early looks again.
        if self._timer is None and (deadline := self._stream.deadline) is not None:
            self._timer = self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._give(self._stream.tick(now), now)
        self._arm()

    # What aiortc calls.

    def _handle_disconnect(self) -> None:
        self._inbox.end()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        match packet:
            case RtcpSrPacket():
                self._reports.note(packet, self._loop.time())
            case RtcpByePacket(sources=gone):
                self._sources -= {ssrc.to_bytes(4, "big") for ssrc in gone}
                if not self._sources:
                    self._inbox.end()
            case _:
                pass

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:  # noqa: ARG002
        if len(self._sources) == MAX_SOURCES:
            self._sources.clear()
        self._sources.add(packet.ssrc.to_bytes(4, "big"))
        self._take(
            Packet(
                packet.ssrc,
                packet.sequence_number,
                packet.timestamp,
                packet.payload_type,
                packet.payload,
            )
        )


def _audio(pc: RTCPeerConnection) -> list[RTCRtpTransceiver]:
    return [transceiver for transceiver in pc.getTransceivers() if transceiver.kind == "audio"]
