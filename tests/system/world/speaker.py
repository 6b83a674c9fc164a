"""A person who speaks: an ordinary session that publishes its microphone through Janus."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame

from tests.system.world.hpb import Hpb
from tests.system.world.member import SPEAKING, Log, Member, join
from tests.system.world.process import WorldError
from tests.system.world.recording import RATE_HZ, Recording
from tests.system.world.tape import FRAME, FRAME_S, Tape
from tests.system.world.turn import IceServer

_DTX_KEEPS_EVERY = 20
"""Opus in silence sends one packet in 400 ms."""

_CONNECT_WITHIN_S = 15.0


@dataclass(slots=True)
class Said:
    """A recording as it was played.

    Attributes:
        what: The recording.
        times: When each 20 ms of it left, on the clock of `time.monotonic`.
    """

    what: Recording
    times: list[float] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def when(self, second: float) -> float:
        """Return when the sample at *second* of the recording had left."""
        return self.times[min(int(second / FRAME_S), len(self.times) - 1)]

    async def reaches(self, second: float) -> None:
        """Wait until the sample before *second* has left; to be called by one task at a time."""
        while len(self.times) * FRAME_S < second:
            await self._moved.wait()
            self._moved.clear()

    def note(self) -> None:
        """Note that 20 ms more have left."""
        self.times.append(time.monotonic())
        self._moved.set()


class Microphone(MediaStreamTrack):
    """A microphone in real time: silence, and recordings when asked for.

    Args:
        dtx: Whether it sends next to nothing in silence, as a muted Opus sender does.
    """

    kind = "audio"

    def __init__(self, *, dtx: bool = False) -> None:
        super().__init__()
        self._dtx = dtx
        self._started: float | None = None
        self._sent = 0
        self._said: Said | None = None
        self._left = np.zeros(0, dtype=np.int16)

    def begin(self, what: Recording) -> Said:
        """Begin to play *what*, whatever was being played."""
        self._left = what.sound
        self._said = Said(what)
        return self._said

    async def recv(self) -> AudioFrame:
        """Return the next 20 ms when they are over, as a sound card does."""
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._next()
        while self._dtx and self._said is None and self._sent % _DTX_KEEPS_EVERY:
            frame = await self._next()
        return frame

    async def _next(self) -> AudioFrame:
        self._started = self._started or time.monotonic()
        # Against a fixed beginning, so that lateness does not add up.
        await asyncio.sleep(self._started + (self._sent + 1) * FRAME_S - time.monotonic())
        samples, self._left = self._left[:FRAME], self._left[FRAME:]
        samples = np.pad(samples, (0, FRAME - len(samples)))
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._sent * FRAME
        frame.time_base = Fraction(1, RATE_HZ)
        self._sent += 1
        self._note()
        return frame

    def _note(self) -> None:
        if self._said is None:
            return
        self._said.note()
        if not len(self._left):
            self._said = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person in the call whose microphone is on; `speaking()` makes them."""

    member: Member
    microphone: Microphone

    @property
    def session(self) -> str:
        """Return the public id of their session."""
        return self.member.session

    def begin(self, what: Recording) -> Said:
        """Begin to say something and return at once."""
        return self.microphone.begin(what)

    async def say(self, what: Recording) -> Said:
        """Say something, from beginning to end."""
        said = self.begin(what)
        await said.reaches(what.seconds)
        return said


@asynccontextmanager
async def speaking(
    hpb: Hpb,
    room: str,
    user: str,
    *,
    relay: IceServer | None = None,
    dtx: bool = False,
    log: Log | None = None,
    tape: Tape | None = None,
) -> AsyncIterator[Speaker]:
    """Let *user* be in the call of *room* with their microphone on, silent so far.

    Args:
        hpb: Where the call is.
        room: Its token.
        user: Their name.
        relay: The TURN server that all their media goes through, if it must.
        dtx: See `Microphone`.
        log: See `join`.
        tape: What they send instead of a microphone's sound.
    """
    # An empty list too: without any, aiortc asks a public server.
    config = RTCConfiguration(
        iceServers=[RTCIceServer(**relay)] if relay else [],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay else RTCIceTransportPolicy.ALL,
    )
    async with join(hpb, room, user, log) as member:
        peer = RTCPeerConnection(config)
        microphone = Microphone(dtx=dtx)
        peer.addTransceiver(tape or microphone, direction="sendonly")
        try:
            await member.set_in_call(SPEAKING)
            async with asyncio.timeout(_CONNECT_WITHIN_S), asyncio.TaskGroup() as group:
                follow = group.create_task(_publish(member, peer), name=f"publish {user}")
                await _connected(peer)
                follow.cancel()
            yield Speaker(member, microphone)
            await member.set_in_call(0)
        finally:
            microphone.stop()
            await peer.close()


async def _publish(member: Member, peer: RTCPeerConnection) -> None:
    """Offer to publish and follow the answer and its candidates."""
    await peer.setLocalDescription(await peer.createOffer())
    payload = {"type": "offer", "sdp": peer.localDescription.sdp}
    sid = str(time.time_ns())
    await member.send_media(member.session, {"type": "offer", "sid": sid, "payload": payload})
    while True:
        match await member.media.get():
            case {"type": "answer", "payload": {"sdp": str(sdp)}}:
                await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            case {
                "type": "candidate",
                "payload": {"candidate": {"candidate": str(line), "sdpMLineIndex": int(index)}},
            }:
                candidate = candidate_from_sdp(line.removeprefix("candidate:"))
                candidate.sdpMLineIndex = index
                await peer.addIceCandidate(candidate)
            case _:
                pass


async def _connected(peer: RTCPeerConnection) -> None:
    changed = asyncio.Event()
    peer.on("connectionstatechange", changed.set)
    while peer.connectionState != "connected":
        if peer.connectionState in {"failed", "closed"}:
            raise WorldError(f"the speaker's own connection {peer.connectionState}")
        await changed.wait()
        changed.clear()
