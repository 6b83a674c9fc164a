"""One receiving peer connection: offer in, answer out, audio out."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from aioice.ice import StunProtocol
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import is_rtcp
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame

from livebot.audio.pcm import Samples, from_s16_mono, from_s16_stereo
from livebot.errors import MediaError
from livebot.media import fixes
from livebot.media.ice import IcePolicy, configuration
from livebot.media.sdp import bundle_is_broken, without_video
from livebot.settings import IceServer

RATE_HZ = 48_000
"""The rate of the samples and of `pts`."""

NEGOTIATION_TIMEOUT_S = 15.0
"""Gathering candidates takes 5 s when a STUN or TURN server is dead."""

MAX_OFFER_CHARS = 64 * 1024
"""A media server's is a few KiB; aiortc needs half a minute of the loop for a megabyte."""

_STEREO = 2
_RTP_VERSION = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """Decoded audio of one packet.

    Attributes:
        samples: Mono, 48 kHz; usually 960 of them.
        pts: RTP time of the first sample, in samples; starts anywhere, and jumps over
            what was not sent (DTX) or lost.
        concealed: Whether the packet was lost and this is a guess at what it held.
        lost: How many samples are missing before this frame because packets were lost and
            no guess was made; what was not sent (DTX) does not count.
    """

    samples: Samples
    pts: int
    concealed: bool = False
    lost: int = 0


@dataclass(slots=True)
class PacketCounts:
    """What became of a peer's audio packets; see the metric `transcription_packets_total`."""

    received: int = 0
    restored: int = 0
    concealed: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0


class Peer:
    """One peer connection that receives a speaker's audio; see `open_peer()`.

    Attributes:
        connected: Set once media can flow.
        ended: Set once it never will again: to aiortc a lost path is `closed` or `failed`.
        counts: What became of its packets so far.
    """

    def __init__(self, pc: RTCPeerConnection) -> None:
        self._pc = pc
        self._track: MediaStreamTrack | None = None
        self._path_at = self._audio_at = -math.inf
        self.counts = PacketCounts()
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()
        pc.on("track", self._on_track)
        pc.on("connectionstatechange", self._on_state)

    def _on_track(self, track: MediaStreamTrack) -> None:
        # Janus may offer several tracks over time; the newest one carries the audio.
        if track.kind == "audio":
            self._track = track

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            self.connected.set()
        elif state in ("failed", "closed"):
            self.ended.set()

    @property
    def has_ended(self) -> bool:
        """Whether this peer will never deliver again."""
        return self.ended.is_set()

    @property
    def audio_age_s(self) -> float:
        """Return how long no audio packet has come; infinite before the first."""
        return time.monotonic() - self._audio_at

    @property
    def path_age_s(self) -> float:
        """Return how long nothing at all has come (audio, RTCP, answers to consent checks).

        A peer that is merely not sent any audio still gets RTCP; infinite before the first.
        """
        return time.monotonic() - self._path_at

    async def answer(self, offer: str) -> str:
        """Take an offer, the first or a renegotiation; return the answer with all candidates.

        Raises:
            MediaError: The offer cannot be used, or candidates are not gathered in time.
        """
        if len(offer) > MAX_OFFER_CHARS:
            raise MediaError("the offer is too large")
        if bundle_is_broken(offer):
            raise MediaError("the offer bundles what it does not have")
        try:
            async with asyncio.timeout(NEGOTIATION_TIMEOUT_S):
                await self._negotiate(RTCSessionDescription(without_video(offer), "offer"))
        except MediaError:
            raise
        except TimeoutError as exc:
            raise MediaError("no ICE candidates in time: is the STUN or TURN server up?") from exc
        except Exception as exc:
            # aiortc has no error class of its own: whatever a broken offer trips, AttributeError
            # of a half-built connection included. Any participant can send such an offer.
            raise MediaError(f"the offer cannot be used: {type(exc).__name__}") from exc
        return str(self._pc.localDescription.sdp)

    async def _negotiate(self, offer: RTCSessionDescription) -> None:
        await self._pc.setRemoteDescription(offer)
        if self._track is None:
            raise MediaError("the offer has no audio")
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        for transceiver in self._pc.getTransceivers():
            connection = transceiver.receiver.transport.transport._connection  # noqa: SLF001
            for protocol in connection._protocols:  # noqa: SLF001
                if "datagram_received" not in vars(protocol):
                    self._tap(protocol)

    def _tap(self, protocol: StunProtocol) -> None:
        """Note when something comes."""
        hand_on = protocol.datagram_received

        def note(data: bytes, addr: tuple[str, int]) -> None:
            self._path_at = time.monotonic()
            # RTP, and not RTCP (RFC 5761)
            if data and data[0] >> 6 == _RTP_VERSION and not is_rtcp(data):
                self._audio_at = self._path_at
            hand_on(data, addr)

        protocol.datagram_received = note  # type: ignore[method-assign,assignment]

    async def add_candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """Take in a candidate of the media server, once its offer is here.

        Raises:
            MediaError: It cannot be read.
        """
        text = candidate.removeprefix("candidate:")
        if not text:
            return
        try:
            parsed = candidate_from_sdp(text)
            parsed.sdpMid, parsed.sdpMLineIndex = mid, index
            await self._pc.addIceCandidate(parsed)
        except Exception as exc:
            # As with offers.
            raise MediaError(f"a candidate cannot be used: {type(exc).__name__}") from exc

    async def receive(self) -> Frame | None:
        """Return the next audio; None when no more will come. May be cancelled at any time.

        Whoever opened the peer keeps receiving: aiortc queues without a bound.

        Raises:
            MediaError: Nothing was negotiated yet, or the audio is of an unknown form.
        """
        if self._track is None:
            raise MediaError("no audio was negotiated")
        try:
            frame = await self._track.recv()
        except MediaStreamError:
            return None
        if not isinstance(frame, AudioFrame) or frame.pts is None or frame.format.name != "s16":
            raise MediaError("audio of an unknown form")
        raw = frame.to_ndarray().astype(np.int16, copy=False)
        channels = len(frame.layout.channels)
        samples = from_s16_stereo(raw) if channels == _STEREO else from_s16_mono(raw)
        return Frame(samples, frame.pts)


@asynccontextmanager
async def open_peer(
    servers: Sequence[IceServer], policy: IcePolicy = IcePolicy.ALL
) -> AsyncIterator[Peer]:
    """Open a peer that uses exactly these ICE servers; leaving the context closes it.

    Raises:
        MediaError: A server's address cannot be used.
    """
    fixes.apply()
    try:
        pc = RTCPeerConnection(configuration(servers, policy))
    except ValueError as exc:
        raise MediaError("an ICE server's address cannot be used") from exc
    try:
        yield Peer(pc)
    finally:
        # Shielded: cancelling aiortc's close would leave what it had not closed yet.
        await asyncio.shield(asyncio.ensure_future(_close(pc)))


async def _close(pc: RTCPeerConnection) -> None:
    try:
        await pc.close()
    except AttributeError as exc:
        # Half built from an offer that `sdp.py` should have refused: this speaker's trouble only.
        raise MediaError("the peer connection cannot be closed") from exc
    # A connection that was just being made starts its receivers all the same.
    for transceiver in pc.getTransceivers():
        await transceiver.receiver.stop()
