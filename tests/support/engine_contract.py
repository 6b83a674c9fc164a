"""What every engine must do. Subclass it and give its fixtures; the tests come with it."""

import asyncio
from dataclasses import dataclass

import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.errors import EngineError
from livebot.stt.engine import SttEngine, SttEvent, SttStream, Word

CHUNK = RATE_HZ // 5


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording and the words that the engine hears in it."""

    audio: Samples
    words: list[str]


async def feed(stream: SttStream, audio: Samples) -> None:
    """Send a recording in chunks, as fast as the engine takes it, and finish."""
    for start in range(0, len(audio), CHUNK):
        await stream.send(audio[start : start + CHUNK])
    await stream.finish()


async def listen(stream: SttStream) -> list[SttEvent]:
    """Collect what is heard until the stream ends by itself."""
    return [event async for event in stream.events()]


async def overhear(stream: SttStream, heard: list[SttEvent]) -> None:
    """Collect what is heard where the caller finds it even if the stream is lost."""
    async for event in stream.events():
        heard.append(event)  # noqa: PERF401 - a comprehension would lose all on a fault


async def converse(engine: SttEngine, audio: Samples) -> list[SttEvent]:
    """Open a stream, send a recording while listening, and return all that was heard."""
    async with engine.open(language="en") as stream:
        return await talk(stream, audio)


async def talk(stream: SttStream, audio: Samples) -> list[SttEvent]:
    """Send a recording while listening; a fault comes out bare."""
    listening = asyncio.ensure_future(listen(stream))
    try:
        await feed(stream, audio)
        return await listening
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def words(events: list[SttEvent]) -> list[str]:
    """Return the words, with joined ones joined."""
    heard: list[str] = []
    for event in events:
        if isinstance(event, Word):
            if event.joined and heard:
                heard[-1] += event.text
            else:
                heard.append(event.text)
    return heard


class EngineContract:
    """The tests; a subclass gives these fixtures.

    Fixtures:
        engine: One that works, entered.
        dead_engine: One from which no stream can be had, entered.
        speech: A recording of at least three words.
        other_speech: One with other words.

    Attributes:
        cancel_steps: After how many turns of the loop a conversation is cancelled, one each.
        finish_within_s: How long a conversation may take.
    """

    cancel_steps = (0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 45, 70, 120)
    finish_within_s = 20.0

    async def test_words_come_in_order_and_complete(
        self, engine: SttEngine, speech: Speech
    ) -> None:
        """All words come, the last included, in the order in which they were said."""
        async with asyncio.timeout(self.finish_within_s):
            events = await converse(engine, speech.audio)

        assert words(events) == speech.words

    async def test_word_times_are_what_the_capabilities_say(
        self, engine: SttEngine, speech: Speech
    ) -> None:
        """Words carry a start if word times are promised; no start ever goes back."""
        heard = [e for e in await converse(engine, speech.audio) if isinstance(e, Word)]

        starts = [w.start for w in heard if w.start is not None]
        assert len(starts) == len(heard) or not engine.capabilities.word_times
        assert starts == sorted(starts)
        assert all(0 <= start <= len(speech.audio) / RATE_HZ for start in starts)

    async def test_finish_ends_the_events(self, engine: SttEngine) -> None:
        """A stream that was told nothing at all ends as well, and finishing twice is once."""
        async with asyncio.timeout(self.finish_within_s), engine.open(language="en") as stream:
            await stream.finish()
            await stream.finish()
            events = await listen(stream)

        assert words(events) == []

    async def test_silence_gives_no_words(self, engine: SttEngine) -> None:
        """Digital silence is not speech."""
        async with asyncio.timeout(self.finish_within_s):
            events = await converse(engine, silence(3 * RATE_HZ))

        assert words(events) == []

    async def test_chunks_of_any_length_are_taken(self, engine: SttEngine, speech: Speech) -> None:
        """An empty chunk, a single sample and the whole rest at once give the same words."""
        async with asyncio.timeout(self.finish_within_s), engine.open(language="en") as stream:
            await stream.send(speech.audio[:0])
            await stream.send(speech.audio[:1])
            await stream.send(speech.audio[1:])
            await stream.finish()
            events = await listen(stream)

        assert words(events) == speech.words

    async def test_two_streams_at_once_do_not_mix(
        self, engine: SttEngine, speech: Speech, other_speech: Speech
    ) -> None:
        """Each of two open streams hears its own words."""
        async with asyncio.timeout(self.finish_within_s):
            first, second = await asyncio.gather(
                converse(engine, speech.audio), converse(engine, other_speech.audio)
            )

        assert (words(first), words(second)) == (speech.words, other_speech.words)

    async def test_cancelling_anywhere_leaves_nothing(
        self, engine: SttEngine, speech: Speech
    ) -> None:
        """Wherever a conversation is cancelled, it ends, and the engine serves the next one."""
        before = asyncio.all_tasks()
        for turns in self.cancel_steps:
            conversation = asyncio.ensure_future(converse(engine, speech.audio))
            for _ in range(turns):
                await asyncio.sleep(0)
            conversation.cancel()
            async with asyncio.timeout(self.finish_within_s):
                await asyncio.gather(conversation, return_exceptions=True)
            assert conversation.cancelled() or not conversation.exception()

        async with asyncio.timeout(self.finish_within_s):
            assert words(await converse(engine, speech.audio)) == speech.words
        assert not {t for t in asyncio.all_tasks() - before if "listen" in repr(t.get_coro())}

    async def test_dead_endpoint_is_an_engine_error(self, dead_engine: SttEngine) -> None:
        """Where no stream can be had, opening says so."""
        with pytest.raises(EngineError):
            async with dead_engine.open(language="en"):
                pytest.fail("a stream came from nowhere")

    async def test_check_says_that_it_works(self, engine: SttEngine) -> None:
        """`livebot doctor` gets one line."""
        async with asyncio.timeout(self.finish_within_s):
            line = await engine.check()

        assert line
        assert "\n" not in line

    async def test_check_of_a_dead_endpoint_is_an_engine_error(
        self, dead_engine: SttEngine
    ) -> None:
        """`livebot doctor` learns what is wrong."""
        with pytest.raises(EngineError):
            await dead_engine.check()
