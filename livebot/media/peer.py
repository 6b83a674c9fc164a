"""One receiving peer connection: offer in, answer out, audio out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from livebot.errors import MediaError
from livebot.media import fixes
from livebot.media.frame import RATE_HZ, Frame, PacketCounts
from livebot.media.ice import IcePolicy, configuration
from livebot.media.receiver import AudioReceiver
from livebot.media.sdp import bundle_is_broken, is_unsigned, with_opus_only, without_video
from livebot.settings import IceServer

__all__ = ["RATE_HZ", "Frame", "IcePolicy", "PacketCounts", "Peer", "open_peer"]

NEGOTIATION_TIMEOUT_S = 15.0
"""Gathering candidates takes 5 s when a STUN or TURN server is dead."""

MAX_OFFER_CHARS = 64 * 1024
"""A media server's is a few KiB; aiortc needs half a minute of the loop for a megabyte."""

MAX_CANDIDATES = 100
"""Of a media server, which has a handful; aioice checks every pair, and sorts all for each."""


class Peer:
    """One peer connection that receives a speaker's audio; see `open_peer()`.

    Attributes:
        connected: Set once media can flow.
        ended: Set once it never will again: to aiortc a lost path is `closed` or `failed`.
        counts: What became of its packets so far.
    """

    def __init__(self, pc: RTCPeerConnection) -> None:
        self._pc = pc
        self._audio = AudioReceiver()
        self._negotiating: asyncio.Task[None] | None = None
        self._candidates: set[str] = set()
        self.counts = self._audio.counts
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()
        pc.on("connectionstatechange", self._on_state)

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
        """Return how long no audio has come; infinite before the first."""
        return self._audio.audio_age_s

    @property
    def path_age_s(self) -> float:
        """Return how long nothing at all has come (audio, RTCP, answers to consent checks).

        A peer that is merely not sent any audio still gets RTCP; infinite before the first.
        """
        return self._audio.path_age_s

    async def answer(self, offer: str) -> str:
        """Take an offer, the first or a renegotiation; return the answer with all candidates.

        Raises:
            MediaError: The offer cannot be used, or candidates are not gathered in time.
        """
        if len(offer) > MAX_OFFER_CHARS or offer.count("a=candidate:") > MAX_CANDIDATES:
            raise MediaError("the offer is too large")
        if bundle_is_broken(offer):
            raise MediaError("the offer bundles what it does not have")
        if is_unsigned(offer):
            raise MediaError("the offer has no fingerprint")
        audio = with_opus_only(without_video(offer))
        # Not cancelled with its caller: aioice would leave what it is just asking a STUN or
        # TURN server for, with its socket and for ever. `close()` waits for it.
        self._negotiating = asyncio.create_task(self._negotiate(audio), name="negotiate")
        try:
            async with asyncio.timeout(NEGOTIATION_TIMEOUT_S):
                await asyncio.shield(self._negotiating)
        except MediaError:
            raise
        except TimeoutError as exc:
            raise MediaError("no ICE candidates in time: is the STUN or TURN server up?") from exc
        except Exception as exc:
            # aiortc has no error class of its own: whatever a broken offer trips, AttributeError
            # of a half-built connection included. Any participant can send such an offer.
            raise MediaError(f"the offer cannot be used: {type(exc).__name__}") from exc
        return str(self._pc.localDescription.sdp)

    async def _negotiate(self, offer: str) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if not self._is_negotiated():
            raise MediaError("the offer has no audio")
        self._audio.register(self._pc)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        self._audio.listen(self._pc)

    async def add_candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """Take in a candidate of the media server, once its offer is here.

        Raises:
            MediaError: It cannot be read, or is one too many.
        """
        text = candidate.removeprefix("candidate:")
        if not text or text in self._candidates:
            return
        if len(self._candidates) == MAX_CANDIDATES:
            raise MediaError("too many candidates")
        self._candidates.add(text)
        try:
            parsed = candidate_from_sdp(text)
            parsed.sdpMid, parsed.sdpMLineIndex = mid, index
            await self._pc.addIceCandidate(parsed)
        except Exception as exc:
            # As with offers.
            raise MediaError(f"a candidate cannot be used: {type(exc).__name__}") from exc

    async def receive(self) -> Frame | None:
        """Return the next audio; None when no more will come. May be cancelled at any time.

        What waits is bounded: a reader that pauses for long loses the oldest, and is told.

        Raises:
            MediaError: Nothing was negotiated yet.
        """
        if not self._is_negotiated():
            raise MediaError("no audio was negotiated")
        return await self._audio.receive()

    def _is_negotiated(self) -> bool:
        return any(
            transceiver.kind == "audio" and transceiver.receiver.track
            for transceiver in self._pc.getTransceivers()
        )

    async def close(self) -> None:
        """Close it; takes some seconds where a STUN or TURN server has gone."""
        if self._negotiating is not None:
            await asyncio.wait([self._negotiating], timeout=NEGOTIATION_TIMEOUT_S)
            self._negotiating.cancel()
        await self._audio.close()
        try:
            await self._pc.close()
        except AttributeError as exc:
            # Half built from an offer that `sdp.py` should have refused: this speaker's trouble.
            raise MediaError("the peer connection cannot be closed") from exc


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
    peer = Peer(pc)
    try:
        yield peer
    finally:
        # Shielded: cancelling aiortc's close would leave what it had not closed yet.
        await asyncio.shield(asyncio.ensure_future(peer.close()))
