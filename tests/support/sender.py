"""A media server for tests: offers one speaker's audio from this very process.

aioice skips the loopback interface, so `loopback_only()` must be in force.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from fractions import Fraction

import aioice.ice
import numpy as np
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from av import AudioFrame

RATE_HZ = 48_000
FRAME = 960


class ToneTrack(AudioStreamTrack):
    """A sine of 440 Hz at half scale; silent where `gaps` says so (as packets never sent).

    Args:
        gaps: Frame numbers whose time passes without a packet.
    """

    def __init__(self, gaps: range = range(0)) -> None:
        super().__init__()
        self._gaps = gaps
        self._number = 0

    async def recv(self) -> AudioFrame:
        """Return the next frame, in real time."""
        frame = await super().recv()
        self._number += 1
        while self._number in self._gaps:
            frame = await super().recv()
            self._number += 1
        assert isinstance(frame, AudioFrame)
        assert frame.pts is not None
        # The base class works at 8 kHz; its clock is right, its rate is not what we send.
        pts = frame.pts * RATE_HZ // frame.sample_rate
        time = (pts + np.arange(FRAME)) / RATE_HZ
        tone = (np.sin(2 * np.pi * 440 * time) * 16384).astype(np.int16)
        made = AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        made.sample_rate, made.pts, made.time_base = RATE_HZ, pts, Fraction(1, RATE_HZ)
        return made


class Sender:
    """Offers a track and takes the answer.

    Args:
        track: What is sent.
        video: Whether the offer has a video section as well.
    """

    def __init__(self, track: AudioStreamTrack, *, video: bool = False) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTrack(track)
        if video:
            self.pc.addTrack(VideoStreamTrack())

    async def offer(self) -> str:
        """Return an offer with all candidates in it."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the answer; media then flows."""
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))


@asynccontextmanager
async def sender(
    track: AudioStreamTrack | None = None, *, video: bool = False
) -> AsyncIterator[Sender]:
    """Open a sender; leaving the context closes it."""
    made = Sender(track or ToneTrack(), video=video)
    try:
        yield made
    finally:
        await made.pc.close()


@contextmanager
def loopback_only() -> Iterator[None]:
    """Let ICE use 127.0.0.1 and nothing else."""
    original = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda *_args, **_kwargs: ["127.0.0.1"]
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = original
