"""Tests of `livebot.rooms.recognition`, on a loop where waiting takes no time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from livebot.audio.pcm import RATE_HZ, silence
from livebot.audio.pipeline import Chunk
from livebot.captions.caption import Caption
from livebot.errors import EngineError
from livebot.metrics import Metrics
from livebot.rooms.backlog import Backlog
from livebot.rooms.figures import Figures
from livebot.rooms.recognition import FINISH_S, Recognition, RecognitionOptions
from livebot.stt.lease import HOLD_S, PRE_ROLL_S
from tests.support.scripted_engine import ScriptedEngine, words

pytestmark = pytest.mark.virtual_time

CHUNK_S = 0.2


@dataclass(slots=True)
class Running:
    """A recognition at work; audio is given second by second."""

    engine: ScriptedEngine
    backlog: Backlog
    figures: Figures
    captions: list[Caption] = field(default_factory=list)
    now: float = 0.0

    def hear(self, seconds: float, *, level: float) -> None:
        """Put audio of one level into the backlog."""
        for _ in range(round(seconds / CHUNK_S)):
            samples = silence(round(CHUNK_S * RATE_HZ)) + np.float32(level)
            self.backlog.put(Chunk(samples, self.now))
            self.now += CHUNK_S

    def speak(self, seconds: float) -> None:
        """Put something that may be speech."""
        self.hear(seconds, level=0.1)

    def keep_silent(self, seconds: float) -> None:
        """Put digital silence."""
        self.hear(seconds, level=0.0)


@asynccontextmanager
async def running(backlog_s: float = 120.0) -> AsyncIterator[Running]:
    """Run a recognition; at the end audio ends, and it must end by itself."""
    figures = Figures(Metrics())
    engine = ScriptedEngine()
    backlog = Backlog(backlog_s, figures.dropped)
    made = Running(engine, backlog, figures)
    recognition = Recognition(
        engine,
        RecognitionOptions(engine="scripted", language="en", caption_mode="append"),
        backlog=backlog,
        figures=figures,
        on_caption=made.captions.append,
        on_gap=lambda _: None,
    )
    async with asyncio.timeout(600), asyncio.TaskGroup() as group:
        group.create_task(recognition.run())
        yield made
        backlog.close()
    assert engine.open_now == 0


async def test_silence_opens_no_stream() -> None:
    """An open but silent microphone costs the engine nothing."""
    async with running() as it:
        it.keep_silent(60)
        await asyncio.sleep(60)

        assert it.engine.streams == []


async def test_sound_opens_a_stream_with_its_onset() -> None:
    """The stream hears what came shortly before the sound, and not the minutes before."""
    async with running() as it:
        it.keep_silent(30)
        it.speak(1)
        stream = await it.engine.stream()
        await asyncio.sleep(1)

        assert 1 + PRE_ROLL_S <= stream.seconds <= 1 + PRE_ROLL_S + CHUNK_S


async def test_words_become_captions_on_the_rooms_time() -> None:
    """A word's time counts from the room's beginning, wherever its stream began."""
    async with running() as it:
        it.keep_silent(30)
        it.speak(2)
        stream = await it.engine.stream()
        await asyncio.sleep(1)
        stream.say(*words("hello world"))
        await asyncio.sleep(1)

    assert [caption.text for caption in it.captions] == ["hello world"]
    assert it.captions[0].start is not None
    assert PRE_ROLL_S <= 30 - it.captions[0].start <= PRE_ROLL_S + CHUNK_S + 1e-6


async def test_a_long_silence_gives_the_stream_back() -> None:
    """After the hold the stream is finished, its last words come, and the next sound opens one."""
    async with running() as it:
        it.engine.on_open = lambda stream: setattr(stream, "last_words", tuple(words("the end")))
        it.speak(1)
        first = await it.engine.stream()
        it.keep_silent(HOLD_S + 1)
        await asyncio.sleep(1)
        assert first.is_finished
        assert [caption.text for caption in it.captions] == ["the end"]
        it.speak(1)

        assert await it.engine.stream(1) is not first


async def test_audio_is_kept_while_the_engine_wakes_up() -> None:
    """Refused openings, as of a cold start, lose nothing that was said meanwhile."""
    async with running() as it:
        it.engine.refusals = [EngineError("cold")] * 4
        it.speak(10)
        stream = await it.engine.stream()
        await asyncio.sleep(1)

        assert stream.seconds == pytest.approx(10, abs=1e-6)
        assert it.figures.last_error == "cold"


async def test_a_stream_that_breaks_is_followed_by_another() -> None:
    """What comes after the fault is heard by the next stream; the fault is counted."""
    async with running() as it:
        it.speak(1)
        first = await it.engine.stream()
        await asyncio.sleep(0.1)
        first.fail(EngineError("cut"))
        it.speak(5)
        second = await it.engine.stream(1)
        await asyncio.sleep(1)

        assert second.seconds == pytest.approx(5, abs=CHUNK_S)
        sample = it.figures.metrics.registry.get_sample_value(
            "transcription_errors_total", {"component": "engine", "type": "EngineError"}
        )
        assert sample == 1


async def test_the_end_of_audio_brings_the_last_words() -> None:
    """Leaving in mid-sentence still finishes the stream."""
    async with running() as it:
        it.engine.on_open = lambda stream: setattr(stream, "last_words", tuple(words("bye all")))
        it.speak(1)
        await it.engine.stream()

    assert [caption.text for caption in it.captions] == ["bye all"]


async def test_a_dead_engine_does_not_hold_up_leaving() -> None:
    """With nothing but refusals the end of audio still ends it, in bounded time."""
    async with running() as it:
        it.engine.refusals = [EngineError("dead")] * 100
        it.speak(1)
        await asyncio.sleep(5)

    assert it.engine.streams == []


async def test_an_engine_that_never_finishes_does_not_hold_up_what_follows() -> None:
    """The stream is given up, what it said is shown, and the next sound has another one."""
    async with running() as it:
        it.engine.on_open = lambda stream: setattr(stream, "never_ends", not it.engine.streams)
        it.speak(1)
        first = await it.engine.stream()
        first.say(*words("before"))
        it.keep_silent(HOLD_S + 1)
        await asyncio.sleep(FINISH_S + 1)
        assert it.figures.engine_error == "the engine does not finish a stream"
        it.speak(1)
        second = await it.engine.stream(1)
        second.say(*words("after"))
        await asyncio.sleep(1)

    assert [caption.text for caption in it.captions] == ["before", "after"]
    assert it.figures.engine_error is None
