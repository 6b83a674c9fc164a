"""Microphones that play recordings, in virtual time."""

import asyncio

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from livebot.audio.pcm import from_s16_stereo
from livebot.demo.participants import Microphone, play
from livebot.demo.speech import CALL_RATE_HZ, Recording, Turn

pytestmark = pytest.mark.virtual_time


async def _listen(microphone: Microphone, into: list[AudioFrame]) -> None:
    while True:
        try:
            into.append(await microphone.recv())
        except MediaStreamError:
            return


async def test_microphone_plays_in_real_time_with_silence_around() -> None:
    """What is said comes out once, unchanged, between silence, 50 frames a second."""
    loop = asyncio.get_running_loop()
    said = np.linspace(-0.9, 0.9, 10_000, dtype=np.float32)
    microphone = Microphone()
    frames: list[AudioFrame] = []

    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(microphone, frames))
        began = loop.time()
        await asyncio.sleep(0.1)
        await microphone.say(said)
        await asyncio.sleep(0.1)
        took = loop.time() - began
        microphone.stop()

    assert took == pytest.approx(0.2 + said.size / CALL_RATE_HZ, abs=0.04)
    assert [frame.pts for frame in frames] == [960 * n for n in range(len(frames))]
    assert len(frames) == pytest.approx(took * 50, abs=1)
    heard = np.concatenate(
        [from_s16_stereo(frame.to_ndarray().astype(np.int16)) for frame in frames]
    )
    begin = int(np.flatnonzero(heard)[0])
    np.testing.assert_allclose(heard[begin : begin + said.size], said, atol=1e-3)
    assert not heard[begin + said.size :].any()


class _Participant:
    """Notes when it was told to say something, and takes its time to say it."""

    def __init__(self, spoken: list[tuple[float, float]]) -> None:
        self._spoken = spoken

    async def say(self, samples: np.ndarray) -> None:
        """Wait as long as the samples last."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(samples.size / CALL_RATE_HZ)
        self._spoken.append((began, loop.time()))


class _Recording(Recording, frozen=True):
    """A recording of nothing."""

    def samples(self) -> np.ndarray:
        """Return silence of the right length."""
        return np.zeros(int(self.duration_s * CALL_RATE_HZ), dtype=np.float32)


async def test_turns_follow_each_other_with_pauses_and_overlaps() -> None:
    """Each begins where the one before ended, plus or minus its own distance."""
    loop = asyncio.get_running_loop()
    spoken: list[tuple[float, float]] = []
    began = loop.time()
    turns = [
        Turn("Ada", _Recording("a", "", "", "en", "", "", length, []), after)
        for length, after in [(3.0, 0.0), (4.0, 0.5), (1.0, -1.0), (1.0, 0.5)]
    ]

    await play(turns, {"Ada": _Participant(spoken)})  # type: ignore[dict-item]

    times = [(round(a - began, 2), round(b - began, 2)) for a, b in sorted(spoken)]
    assert times == [(0.0, 3.0), (3.5, 7.5), (6.5, 7.5), (8.0, 9.0)]
