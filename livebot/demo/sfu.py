"""Forward audio from speakers to readers: the demo's stand-in for Janus.

Packets are passed on as they are, not decoded and encoded again: readers hear exactly
what was sent, and it costs next to nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final, TypeAlias

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtp import RtpPacket
from aiortc.sdp import candidate_from_sdp
from av import Packet

from livebot.errors import MediaError
from livebot.ids import SessionId
from livebot.media.sdp import without_video

_Encoded: TypeAlias = "Packet[Any]"

MAX_PACKETS: Final = 50
"""One second of Opus; a reader that is later than that loses the oldest."""

_TIME_BASE: Final = Fraction(1, 48_000)

_UNUSABLE: Final = (
    ValueError,
    LookupError,
    AssertionError,
    InvalidAccessError,
    InvalidStateError,
    OperationError,
)
"""Whatever broken SDP trips in aiortc: its parser has no error class of its own."""


class ForwardedTrack(MediaStreamTrack):
    """A speaker's packets on their way to one reader; aiortc sends packets as they are."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets: deque[_Encoded] = deque(maxlen=MAX_PACKETS)
        self._wake = asyncio.Event()

    def put(self, payload: bytes, timestamp: int) -> None:
        """Add a packet; the oldest goes when there is no room."""
        packet: _Encoded = Packet(payload)
        packet.pts, packet.time_base = timestamp, _TIME_BASE
        self._packets.append(packet)
        self._wake.set()

    def stop(self) -> None:
        """End the track, for whoever waits in `recv()` too."""
        super().stop()
        self._wake.set()

    async def recv(self) -> _Encoded:
        """Return the next packet.

        Raises:
            MediaStreamError: The track ended.
        """
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._wake.clear()
            await self._wake.wait()
        return self._packets.popleft()


class _Publication:
    """A speaker's connection and the tracks of those who listen."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.pc = pc
        self.tracks: dict[str, ForwardedTrack] = {}

    def tap(self, receiver: RTCRtpReceiver) -> None:
        """Take the packets in place of the receiver, which would decode them."""
        receiver._handle_rtp_packet = self._forward  # type: ignore[method-assign]  # noqa: SLF001

    async def _forward(self, packet: RtpPacket, arrival_time_ms: int) -> None:  # noqa: ARG002
        for track in self.tracks.values():
            track.put(packet.payload, packet.timestamp)


class Sfu:
    """All media connections of the demo server.

    Args:
        on_listened: Called when a reader's connection to a speaker stands.
        on_publication_lost: Called when a speaker's connection died.
        on_subscription_lost: Called with its `sid` when a reader's connection died.
    """

    def __init__(
        self,
        *,
        on_listened: Callable[[SessionId], None],
        on_publication_lost: Callable[[SessionId], None],
        on_subscription_lost: Callable[[str], None],
    ) -> None:
        self._on_listened = on_listened
        self._on_publication_lost = on_publication_lost
        self._on_subscription_lost = on_subscription_lost
        self._publications: dict[SessionId, _Publication] = {}
        self._subscriptions: dict[str, tuple[SessionId, RTCPeerConnection]] = {}

    async def publish(self, speaker: SessionId, offer: str) -> str:
        """Take a speaker's offer, the first or a renegotiation; return the answer.

        Raises:
            MediaError: The offer cannot be used.
        """
        publication = self._publications.get(speaker) or self._open_publication(speaker)
        pc = publication.pc
        try:
            description = RTCSessionDescription(sdp=without_video(offer), type="offer")
            await pc.setRemoteDescription(description)
            await pc.setLocalDescription(await pc.createAnswer())
        except _UNUSABLE as exc:
            raise MediaError(f"the offer cannot be used: {type(exc).__name__}") from exc
        return str(pc.localDescription.sdp)

    async def unpublish(self, speaker: SessionId) -> None:
        """Close a speaker's connection."""
        publication = self._publications.pop(speaker, None)
        if publication is not None:
            await publication.pc.close()

    async def subscribe(self, speaker: SessionId, sid: str) -> str:
        """Return an offer of a speaker's audio, for a new subscription or once more.

        Raises:
            MediaError: Nothing is published, or the last offer is not answered yet.
        """
        publication = self._publications.get(speaker)
        if publication is None:
            raise MediaError("nothing is published")
        if sid not in self._subscriptions:
            self._open_subscription(speaker, sid, publication)
        _, pc = self._subscriptions[sid]
        try:
            await pc.setLocalDescription(await pc.createOffer())
        except _UNUSABLE as exc:
            raise MediaError(f"no offer can be made: {type(exc).__name__}") from exc
        return str(pc.localDescription.sdp)

    async def answered(self, sid: str, answer: str) -> None:
        """Take the answer to an offer.

        Raises:
            MediaError: It cannot be used.
        """
        if sid not in self._subscriptions:
            return
        _, pc = self._subscriptions[sid]
        try:
            await pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        except _UNUSABLE as exc:
            raise MediaError(f"the answer cannot be used: {type(exc).__name__}") from exc

    async def unsubscribe(self, sid: str) -> None:
        """Close a reader's connection."""
        found = self._subscriptions.pop(sid, None)
        if found is None:
            return
        speaker, pc = found
        if speaker in self._publications:
            self._publications[speaker].tracks.pop(sid, None)
        await pc.close()

    async def add_candidate(
        self, peer: str, candidate: str, mid: str | None, index: int | None
    ) -> None:
        """Add a candidate of a speaker (by session) or of a reader (by `sid`).

        Raises:
            MediaError: It cannot be read.
        """
        publication = self._publications.get(SessionId(peer))
        pc = publication.pc if publication else self._subscriptions.get(peer, (None, None))[1]
        text = candidate.removeprefix("candidate:")
        # Browsers hide addresses behind mDNS names; the connectivity checks reveal them.
        if pc is None or not text or ".local " in text:
            return
        try:
            parsed = candidate_from_sdp(text)
            parsed.sdpMid, parsed.sdpMLineIndex = mid, index
            await pc.addIceCandidate(parsed)
        except _UNUSABLE as exc:
            raise MediaError(f"a candidate cannot be used: {type(exc).__name__}") from exc

    async def close(self) -> None:
        """Close all connections."""
        for sid in list(self._subscriptions):
            await self.unsubscribe(sid)
        for speaker in list(self._publications):
            await self.unpublish(speaker)

    def _open_publication(self, speaker: SessionId) -> _Publication:
        pc = _peer()
        publication = _Publication(pc)
        transceiver = pc.addTransceiver("audio", direction="recvonly")
        transceiver.setCodecPreferences(_opus())
        publication.tap(transceiver.receiver)
        self._publications[speaker] = publication

        def changed() -> None:
            if pc.connectionState in ("failed", "closed") and self._is_current(speaker, pc):
                self._on_publication_lost(speaker)

        pc.on("connectionstatechange", changed)
        return publication

    def _is_current(self, speaker: SessionId, pc: RTCPeerConnection) -> bool:
        publication = self._publications.get(speaker)
        return publication is not None and publication.pc is pc

    def _open_subscription(self, speaker: SessionId, sid: str, publication: _Publication) -> None:
        pc = _peer()
        track = publication.tracks[sid] = ForwardedTrack()
        transceiver = pc.addTransceiver(track, direction="sendonly")
        transceiver.setCodecPreferences(_opus())
        self._subscriptions[sid] = (speaker, pc)

        def changed() -> None:
            if sid not in self._subscriptions:
                return
            if pc.connectionState == "connected":
                self._on_listened(speaker)
            elif pc.connectionState in ("failed", "closed"):
                self._on_subscription_lost(sid)

        pc.on("connectionstatechange", changed)


def _peer() -> RTCPeerConnection:
    # Without a list aiortc would ask a public STUN server.
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def _opus() -> list[RTCRtpCodecCapability]:
    known = RTCRtpReceiver.getCapabilities("audio")
    return [codec for codec in known.codecs if codec.mimeType == "audio/opus"] if known else []
