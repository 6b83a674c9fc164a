"""Participants that speak: real clients of the call whose microphone is a recording."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Final

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from livebot.audio.pcm import Samples, silence
from livebot.demo.client import IN_CALL, WITH_AUDIO, Client, join
from livebot.demo.speech import CALL_RATE_HZ, Turn
from livebot.ids import RoomToken, SessionId

MAX_OVERLAP_S: Final = 2.0
"""How long before the end of a turn the next one may begin."""

_FRAME: Final = CALL_RATE_HZ // 50
_FRAME_S: Final = _FRAME / CALL_RATE_HZ
_FULL_SCALE: Final = 32767


class Microphone(MediaStreamTrack):
    """A track that is silent until it is given something to say; in real time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._clock = asyncio.get_running_loop()
        self._began: float | None = None
        self._sent = 0
        self._pending: Samples = silence(0)
        self._said = asyncio.Event()
        self._said.set()

    async def say(self, samples: Samples) -> None:
        """Play this after what is being played; return at its end."""
        self._pending = np.concatenate([self._pending, samples])
        self._said.clear()
        await self._said.wait()

    async def recv(self) -> AudioFrame:
        """Return the next 20 ms, when they are over.

        Raises:
            MediaStreamError: The track ended.
        """
        if self._began is None:
            self._began = self._clock.time()
        self._sent += 1
        await asyncio.sleep(self._began + self._sent * _FRAME_S - self._clock.time())
        if self.readyState != "live":
            raise MediaStreamError
        now, self._pending = self._pending[:_FRAME], self._pending[_FRAME:]
        if not self._pending.size:
            self._said.set()
        return _frame(now, pts=(self._sent - 1) * _FRAME)


class Participant:
    """A participant with a microphone; see `join_with_microphone()`.

    Args:
        client: In the call already.
        microphone: Published already.
    """

    def __init__(self, client: Client, microphone: Microphone) -> None:
        self._client = client
        self._microphone = microphone

    @property
    def session(self) -> SessionId:
        """The public session id."""
        return self._client.session

    async def say(self, samples: Samples) -> None:
        """Play this; return at its end."""
        await self._microphone.say(samples)


@asynccontextmanager
async def join_with_microphone(
    url: str, *, room: RoomToken, name: str
) -> AsyncIterator[Participant]:
    """Join a call and publish a microphone; leaving the context leaves the call.

    Raises:
        SignalingError: The server refused or did not answer.
    """
    async with join(url, room=room, name=name, flags=IN_CALL | WITH_AUDIO) as client:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        microphone = Microphone()
        try:
            pc.addTransceiver(microphone, direction="sendonly")
            await pc.setLocalDescription(await pc.createOffer())
            answer = await client.publish(str(pc.localDescription.sdp))
            await pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
            yield Participant(client, microphone)
        finally:
            await pc.close()


async def play(turns: Sequence[Turn], participants: dict[str, Participant]) -> None:
    """Play the turns in their order; return when the last one has ended."""
    loop = asyncio.get_running_loop()
    sounds = await asyncio.to_thread(lambda: [turn.recording.samples() for turn in turns])
    end = loop.time()
    async with asyncio.TaskGroup() as group:
        for turn, samples in zip(turns, sounds, strict=True):
            start = max(end + turn.after_s, loop.time())
            end = start + samples.size / CALL_RATE_HZ
            await asyncio.sleep(start - loop.time())
            group.create_task(participants[turn.who].say(samples), name=f"demo-say-{turn.who}")
            # The next turn may begin before this one ends.
            await asyncio.sleep(max(0.0, end - MAX_OVERLAP_S - loop.time()))


def _frame(samples: Samples, *, pts: int) -> AudioFrame:
    """Return 20 ms in stereo: aiortc would make mono quieter."""
    mono = np.zeros(_FRAME, dtype=np.int16)
    mono[: samples.size] = np.clip(samples * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE)
    frame = AudioFrame.from_ndarray(np.repeat(mono, 2).reshape(1, -1), "s16", "stereo")
    frame.sample_rate = CALL_RATE_HZ
    frame.pts, frame.time_base = pts, Fraction(1, CALL_RATE_HZ)
    return frame
