"""A media server for tests: offers one speaker's audio from this very process.

aioice skips the loopback interface, so `loopback_only()` must be in force.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from fractions import Fraction
from typing import Any

import aioice.ice
import numpy as np
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from av import AudioFrame, Packet

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


class PacketTrack(MediaStreamTrack):
    """Packets that are Opus already, from the moment they are wanted.

    Args:
        payloads: They.
        samples: How many samples each of them holds.
        every_s: How fast they are sent; less than their length is faster than speech.

    Attributes:
        begin: To be set when they are wanted.
    """

    kind = "audio"

    def __init__(self, payloads: Sequence[bytes], *, samples: int, every_s: float) -> None:
        super().__init__()
        self._payloads, self._samples, self._every_s = payloads, samples, every_s
        self._number = 0
        self._began = 0.0
        self.begin = asyncio.Event()

    async def recv(self) -> "Packet[Any]":
        """Return the next one, at its time; then nothing more."""
        loop = asyncio.get_running_loop()
        await self.begin.wait()
        number, self._number = self._number, self._number + 1
        self._began = self._began or loop.time()
        await asyncio.sleep(self._began + number * self._every_s - loop.time())
        if number >= len(self._payloads):
            await loop.create_future()
        packet: Packet[Any] = Packet(self._payloads[number])
        packet.pts, packet.time_base = number * self._samples, Fraction(1, RATE_HZ)
        return packet


class Sender:
    """Offers a track and takes the answer.

    Args:
        track: What is sent.
        video: Whether the offer has a video section as well.
    """

    def __init__(self, track: MediaStreamTrack, *, video: bool = False) -> None:
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
    track: MediaStreamTrack | None = None, *, video: bool = False
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
