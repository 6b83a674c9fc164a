"""Tests of `livebot.live`: one session in memory, on a loop where waiting takes no time."""

import asyncio

import pytest

from livebot.errors import BusyError, EngineError, EngineUnavailableError
from livebot.feeds.events import Final, Interim
from livebot.live.clients import End
from livebot.live.transcription import FINALIZE_S
from livebot.stt.engine import Word
from tests.support.live_sessions import Reader, live, quiet, speak, tone
from tests.support.scripted_engine import words

pytestmark = pytest.mark.virtual_time


async def test_words_become_events() -> None:
    """What is said comes as interims, and once as a final, with times and lateness."""
    async with live() as it:
        session = await it.open()
        await speak(session, 3)
        stream = await it.engine.stream()
        stream.say(*words("hello there"))
        await asyncio.sleep(1)
        stream.say(*words("and more", 1.0))
        await session.finish()

        reader = Reader(session.feed)
        await reader.run()
        finals = reader.of(Final)
        assert [final.text for final in finals] == ["hello there", "and more"]
        assert finals[0].end == 0.9
        assert 1900 <= finals[0].latency_ms <= 2300
        assert reader.of(Interim)
        assert await session.ended() is End.FINISHED
    assert it.sample("transcription_live_sessions_active") == 0


async def test_finish_brings_the_last_words() -> None:
    """What the engine still has comes before the feed is closed."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2.05)
        stream = await it.engine.stream()
        stream.last_words = (Word("bye", 1.0, 1.5),)
        await session.finish()

        reader = Reader(session.feed)
        await reader.run()
        assert [final.text for final in reader.of(Final)] == ["bye"]
        assert stream.seconds == pytest.approx(2.05, abs=0.01)
        assert len(it.feeds) == 0
        with pytest.raises(BusyError):
            await session.send(tone(0.1))


async def test_finalize_completes_what_was_said() -> None:
    """Its words are in the feed when it returns, and the next audio goes on after them."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2.05)
        stream = await it.engine.stream()
        stream.last_words = (Word("one", 1.0, 1.5),)
        await session.finalize()
        assert [f.text for f in session.feed.snapshot().finals] == ["one"]

        await speak(session, 1)
        second = await it.engine.stream(1)
        second.last_words = (Word("two", 0.5, 0.9),)
        await session.finalize()
        finals = session.feed.snapshot().finals
        assert [f.text for f in finals] == ["one", "two"]
        assert finals[1].start == pytest.approx(2.55, abs=0.01)
        await session.finish()


async def test_finalize_without_audio_returns_at_once() -> None:
    """There is nothing to be completed."""
    async with live() as it:
        session = await it.open()
        before = asyncio.get_running_loop().time()
        await session.finalize()
        await session.send(quiet(3))
        await session.finalize()
        assert asyncio.get_running_loop().time() - before < 1
        assert it.engine.streams == []
        await session.finish()


async def test_finalize_outlives_a_stream_that_breaks() -> None:
    """What the lost stream did not answer is heard by the next, and then it is complete."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        first = await it.engine.stream()
        finalizing = asyncio.create_task(session.finalize())
        first.fail(EngineError("broken by the test"))
        it.engine.on_open = lambda stream: setattr(
            stream, "last_words", (Word("again", 0.5, 0.9),)
        )
        await finalizing

        assert [final.text for final in session.feed.snapshot().finals] == ["again"]
        assert len(it.engine.streams) == 2
        await session.finish()


async def test_finalize_does_not_wait_for_ever() -> None:
    """Where no engine can be had it returns, and the words come when one can."""
    async with live() as it:
        it.engine.refusals = [EngineUnavailableError("away", retry_in_s=15.0)]
        session = await it.open()
        await speak(session, 2)
        begun = asyncio.get_running_loop().time()
        await session.finalize()
        assert asyncio.get_running_loop().time() - begun == pytest.approx(FINALIZE_S, abs=0.1)
        it.engine.on_open = lambda stream: setattr(stream, "last_words", (Word("late", 0.5, 0.9),))
        await asyncio.sleep(10)

        assert [final.text for final in session.feed.snapshot().finals] == ["late"]
        assert len(it.engine.streams) == 1
        await session.finish()


async def test_many_finalize_at_once() -> None:
    """Each returns, and no word comes twice."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        (await it.engine.stream()).last_words = (Word("once", 0.5, 0.9),)
        await asyncio.gather(*(session.finalize() for _ in range(5)))

        assert [final.text for final in session.feed.snapshot().finals] == ["once"]
        await session.finish()
