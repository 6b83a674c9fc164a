"""Tests of `livebot.hearing.recognition`, on a loop where waiting takes no time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from livebot.audio.pcm import RATE_HZ, silence
from livebot.audio.pipeline import Chunk
from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.errors import EngineError, EngineUnavailableError
from livebot.hearing.backlog import Backlog
from livebot.hearing.conversation import FINISH_S, IDLE_AFTER_S, WATCHED_FINISH_S
from livebot.hearing.figures import Figures
from livebot.hearing.recognition import BARREN_S, Recognition, RecognitionOptions
from livebot.metrics import Metrics
from livebot.stt.engine import SttEngine, Word
from livebot.stt.failover import Failover
from livebot.stt.lease import HOLD_S, PAUSE_S, PRE_ROLL_S, ROTATE_AT, SWITCH_WITHIN_S
from livebot.stt.replay import MARGIN_S
from livebot.stt.stall import PATIENCE_S
from tests.support.scripted_engine import ScriptedEngine, words

pytestmark = pytest.mark.virtual_time

CHUNK_S = 0.2


@dataclass(slots=True)
class Running:
    """A recognition at work; audio is given second by second."""

    engine: ScriptedEngine
    backlog: Backlog
    figures: Figures
    recognition: Recognition
    published: list[Caption]
    gaps: list[Gap]
    now: float = 0.0

    @property
    def captions(self) -> list[Caption]:
        """Return what readers of mode `append` have."""
        return [caption for caption in self.published if caption.mode == "append"]

    @property
    def text(self) -> str:
        """Return all that readers have."""
        return " ".join(caption.text for caption in self.captions)

    def hear(self, seconds: float, *, level: float) -> None:
        """Put audio of one level into the backlog."""
        for _ in range(round(seconds / CHUNK_S)):
            samples = silence(round(CHUNK_S * RATE_HZ)) + np.float32(level)
            self.backlog.put(Chunk(samples, self.now))
            self.now += CHUNK_S

    def babble(self, seconds: float) -> None:
        """Put what may be speech for as long as one likes, without a pause between words."""
        for _ in range(round(seconds)):
            self.hear(0.8, level=0.1)
            self.hear(0.2, level=0.001)

    def speak(self, seconds: float) -> None:
        """Put something that may be speech."""
        self.hear(seconds, level=0.1)

    def keep_silent(self, seconds: float) -> None:
        """Put digital silence."""
        self.hear(seconds, level=0.0)


@asynccontextmanager
async def running(
    backlog_s: float = 120.0, wrap: Callable[[ScriptedEngine], SttEngine] = lambda engine: engine
) -> AsyncIterator[Running]:
    """Run a recognition; at the end audio ends, and it must end by itself."""
    figures = Figures(Metrics())
    engine = ScriptedEngine({"en": "English", "fr": "French"})
    backlog = Backlog(backlog_s, lambda chunk: recognition.missed(chunk))  # noqa: PLW0108
    captions: list[Caption] = []
    gaps: list[Gap] = []
    recognition = Recognition(
        wrap(engine),
        RecognitionOptions(language="en"),
        backlog=backlog,
        figures=figures,
        on_caption=captions.append,
        on_gap=gaps.append,
    )
    made = Running(engine, backlog, figures, recognition, captions, gaps)
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


async def test_words_are_captioned_in_both_modes() -> None:
    """Readers of either have each word once; those who see captions grow have them at once."""
    async with running() as it:
        it.speak(6)
        stream = await it.engine.stream()
        await asyncio.sleep(1)
        for number, text in enumerate(["So", "it", "grows", "and", "is", "done."]):
            stream.say(Word(text, number / 2, number / 2 + 0.4))
            await asyncio.sleep(0.5)

        seen = [caption for caption in it.published if caption.mode == "replace"]
        assert [caption.text for caption in seen[:3]] == ["So", "So it", "So it grows"]
        assert [caption.text for caption in seen if caption.final] == ["So it grows and is done."]
        assert it.text == "So it grows and is done."
        assert all(caption.final for caption in it.captions)
        # Each piece of text counts once.
        assert it.figures.captions == len(it.captions)


async def test_silence_ends_captions_where_the_engine_tells_no_pauses() -> None:
    """Each mode has its own time for it, and neither waits for the other's."""
    async with running() as it:
        it.engine.pauses = False
        it.speak(2)
        stream = await it.engine.stream()
        await asyncio.sleep(1)
        stream.say(Word("so", 0.5, 0.9))
        await asyncio.sleep(IDLE_AFTER_S / 2)
        assert it.text == "so"
        assert [caption.final for caption in it.published if caption.mode == "replace"] == [False]
        await asyncio.sleep(IDLE_AFTER_S)

        assert [caption.final for caption in it.published if caption.mode == "replace"][1:] == [
            True
        ]


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
    """The next one hears what was not answered and what came since; the fault is counted."""
    async with running() as it:
        it.speak(1)
        first = await it.engine.stream()
        await asyncio.sleep(0.1)
        first.fail(EngineError("cut"))
        it.speak(5)
        second = await it.engine.stream(1)
        await asyncio.sleep(1)

        assert second.seconds == pytest.approx(6)
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
        first.say(*words("before", start=1.5))
        it.keep_silent(HOLD_S + 1)
        await asyncio.sleep(FINISH_S + 1)
        assert it.figures.last_error == "the engine does not finish a stream"
        it.speak(1)
        second = await it.engine.stream(1)
        second.say(*words("after", start=12.0))
        await asyncio.sleep(1)

    assert [caption.text for caption in it.captions] == ["before", "after"]
    assert it.figures.engine_error is None


async def test_no_word_is_lost_or_doubled_where_a_stream_breaks() -> None:
    """The next stream says again what it hears again; readers see each word once."""
    async with running() as it:
        it.speak(4)
        first = await it.engine.stream()
        await asyncio.sleep(0.1)
        first.say(*words("one two three")[:3])
        await asyncio.sleep(0.1)
        first.fail(EngineError("cut"))
        second = await it.engine.stream(1)
        await asyncio.sleep(0.1)
        # It hears what the words did not answer, and an onset.
        assert second.seconds == pytest.approx(4 - 1.4 + MARGIN_S, abs=CHUNK_S)
        second.say(*words("three four five", start=1.0 - (4 - second.seconds))[:3])
        await asyncio.sleep(1)

    assert it.text == "one two three four five"
    assert it.gaps == []


async def test_a_stream_without_times_goes_on_where_its_words_do() -> None:
    """Words alone tell where the next stream goes on."""
    async with running() as it:
        it.speak(4)
        first = await it.engine.stream()
        await asyncio.sleep(0.1)
        first.say(*(Word(text) for text in ["and", "so", "my", "fellow", "Americans"]))
        await asyncio.sleep(0.1)
        first.fail(EngineError("closed with 1000"))
        second = await it.engine.stream(1)
        second.say(*(Word(text) for text in ["so", "my", "fellow", "americans", "ask", "not"]))
        await asyncio.sleep(5)

    assert it.text == "and so my fellow Americans ask not"


async def test_a_deaf_stream_is_given_up_and_its_audio_kept() -> None:
    """Speech goes in, nothing comes out: the next stream hears all of it again."""
    async with running() as it:
        it.speak(5)
        await it.engine.stream()
        await asyncio.sleep(PATIENCE_S + 2)
        second = await it.engine.stream(1)
        await asyncio.sleep(0.1)
        assert second.seconds == pytest.approx(5)
        assert it.figures.last_error == "speech goes in and no words come out"
        second.say(*words("heard after all"))
        await asyncio.sleep(1)

        assert value(it, "transcription_stalls_total", component="engine") == 1
    assert it.text == "heard after all"
    assert it.gaps == []


async def test_an_engine_that_watches_itself_is_late_and_not_deaf() -> None:
    """It is shown that no words come, and nothing is sent again: that would not help it."""
    async with running() as it:
        it.engine.watched = True
        it.speak(5)
        stream = await it.engine.stream()
        await asyncio.sleep(PATIENCE_S + 2)
        assert "no words come out" in (it.figures.engine_error or "")
        assert value(it, "transcription_stalls_total", component="engine") == 1
        stream.say(*words("heard after all"))
        await asyncio.sleep(1)

        assert it.figures.engine_error is None
        assert len(it.engine.streams) == 1
    assert it.text == "heard after all"


async def test_an_engine_that_watches_itself_has_time_for_the_last_words() -> None:
    """It has too much to do, and would only have more if it heard everything again."""
    async with running() as it:
        it.engine.watched = True
        it.engine.on_open = lambda stream: setattr(stream, "never_ends", True)
        it.speak(1)
        stream = await it.engine.stream()
        it.keep_silent(HOLD_S + 1)
        await asyncio.sleep(WATCHED_FINISH_S - 20)
        stream.say(*words("late"))
        await asyncio.sleep(1)

        assert it.text == "late"
        assert len(it.engine.streams) == 1
        it.engine.on_open = lambda _: None


async def test_an_engine_that_understands_is_never_called_deaf() -> None:
    """A word now and then keeps a stream, and silence asks for none."""
    async with running() as it:
        it.speak(2)
        stream = await it.engine.stream()
        for second in range(60):
            it.speak(1)
            if second % 5 == 0:
                stream.say(*words("yes", start=float(second))[:1])
            await asyncio.sleep(1)
        it.keep_silent(5)
        await asyncio.sleep(60)

    assert len(it.engine.streams) == 1


async def test_what_no_engine_heard_is_told_as_a_gap() -> None:
    """An outage longer than what can be kept is told when it begins to cost, and when it ends."""
    async with running(backlog_s=10) as it:
        it.engine.refusals = [EngineError("dead")] * 5
        for _ in range(20):
            it.speak(1)
            await asyncio.sleep(0.1)
        assert [(gap.cause, gap.end) for gap in it.gaps] == [(Cause.ENGINE, None)] * 2
        stream = await it.engine.stream()
        stream.say(*words("back"))
        await asyncio.sleep(1)

    told = it.gaps[-1]
    assert told.end is not None
    assert told.lost_s == pytest.approx(told.end - told.start)
    # All that was spoken was either sent or told as lost.
    assert told.lost_s + stream.seconds == pytest.approx(20)


async def test_lost_silence_is_no_gap() -> None:
    """Nobody said anything."""
    async with running(backlog_s=10) as it:
        it.engine.refusals = [EngineError("dead")] * 5
        it.speak(1)
        await asyncio.sleep(0.1)
        it.keep_silent(30)
        await asyncio.sleep(1)
        it.keep_silent(30)
        (await it.engine.stream()).say(*words("back"))
        await asyncio.sleep(1)

    assert sum(gap.lost_s for gap in it.gaps) <= 1


async def test_audio_that_ends_every_stream_is_given_up_and_told() -> None:
    """What may be the cause of it is not offered for ever; what was said since is heard."""
    async with running() as it:
        it.engine.on_open = lambda stream: stream.fail_after(2.0)
        it.speak(2)
        await asyncio.sleep(2 * BARREN_S)
        it.engine.on_open = lambda _: None
        it.keep_silent(20)
        await asyncio.sleep(20)
        count = len(it.engine.streams)
        it.speak(1)
        stream = await it.engine.stream(count)
        stream.say(*words("new"))
        await asyncio.sleep(1)

    assert it.text == "new"
    assert [(gap.cause, gap.end is None) for gap in it.gaps] == [(Cause.ENGINE, False)]
    assert it.gaps[0].lost_s == pytest.approx(2, abs=CHUNK_S)
    assert count <= 20


async def test_who_left_during_an_outage_is_still_captioned() -> None:
    """Their words wait for the engine to come back."""
    async with running() as it:
        it.engine.refusals = [EngineError("dead")] * 5
        it.engine.on_open = lambda stream: setattr(stream, "last_words", tuple(words("bye")))
        it.speak(2)
        await asyncio.sleep(1)

    assert it.text == "bye"
    assert it.gaps == []


async def test_a_session_is_changed_at_a_pause_before_the_endpoint_ends_it() -> None:
    """Words keep coming, each once, and the endpoint never had to hang up."""
    async with running() as it:
        it.engine.session_s = 100.0
        for _ in range(150):
            it.speak(0.6)
            it.keep_silent(0.4)
            await asyncio.sleep(1)
            it.engine.streams[-1].say(Word("yes"))
        first, second = it.engine.streams

        assert first.is_finished
        assert ROTATE_AT * 100 <= first.seconds <= ROTATE_AT * 100 + 2
        assert first.seconds + second.seconds == pytest.approx(150, abs=1)


async def test_a_retry_comes_when_the_engine_says() -> None:
    """A circuit that is open is not tried before its time."""
    async with running() as it:
        it.engine.refusals = [EngineUnavailableError("open", retry_in_s=40.0)]
        it.speak(1)
        await asyncio.sleep(39)
        assert not it.engine.streams
        await asyncio.sleep(2)

        assert len(it.engine.streams) == 1


def value(it: Running, name: str, **labels: str) -> float | None:
    """Return a metric."""
    return it.figures.metrics.registry.get_sample_value(name, labels)


async def test_giving_up_in_the_middle_of_sending_is_survived() -> None:
    """The stream takes what was just told as lost: a room's end may come at any moment."""
    async with running() as it:
        it.engine.on_open = lambda stream: stream.be_slow(1.0)
        it.speak(20)
        await asyncio.sleep(5.5)
        it.backlog.close()
        it.recognition.give_up(Cause.SHUTDOWN)
        await asyncio.sleep(5)

    assert {gap.cause for gap in it.gaps} == {Cause.SHUTDOWN}


async def test_giving_up_while_a_stream_is_opened_again_is_survived() -> None:
    """As above, one moment earlier."""
    async with running() as it:
        it.speak(5)
        stream = await it.engine.stream()
        await asyncio.sleep(1)
        it.engine.on_open = lambda _: it.recognition.give_up(Cause.SHUTDOWN)
        stream.fail(EngineError("the end"))
        it.backlog.close()
        await asyncio.sleep(5)

    assert {gap.cause for gap in it.gaps} == {Cause.SHUTDOWN}


async def test_what_is_given_up_includes_what_can_no_longer_be_sent_again() -> None:
    """An engine that is more than half a minute late has it all, and will say none of it."""
    async with running() as it:
        it.engine.watched = True
        it.babble(50)
        await it.engine.stream()
        await asyncio.sleep(1)
        it.backlog.close()
        it.recognition.give_up(Cause.SHUTDOWN)

    assert it.gaps[-1].lost_s == pytest.approx(40, abs=1)


async def test_what_a_finished_stream_heard_is_never_told_as_lost() -> None:
    """A minute of music, of which nothing was to be said, is no loss of the next stream's."""
    async with running() as it:
        it.engine.watched = True
        it.babble(60)
        it.keep_silent(HOLD_S + 5)
        await asyncio.sleep(1)
        assert it.engine.streams[0].is_finished
        it.speak(1)
        stream = await it.engine.stream(1)
        await asyncio.sleep(1)
        stream.fail(EngineError("the end"))
        await it.engine.stream(2)
        await asyncio.sleep(1)

    assert it.gaps == []


async def test_streams_that_were_lost_long_ago_do_not_count() -> None:
    """Where one that ended in order is in between, it was not the audio that ended them."""
    async with running() as it:
        for number in range(0, 8, 2):
            it.speak(1)
            stream = await it.engine.stream(number)
            await asyncio.sleep(1)
            stream.fail(EngineError("the end"))
            await it.engine.stream(number + 1)
            it.keep_silent(HOLD_S + 5)
            await asyncio.sleep(BARREN_S)

    assert it.gaps == []


async def test_a_gap_ends_with_a_stream_that_hears_all_the_rest() -> None:
    """Also where the rest has no word in it: nothing has been lost since the engine is back."""
    async with running(backlog_s=10) as it:
        it.engine.refusals = [EngineError("not now")] * 3
        it.speak(30)
        await asyncio.sleep(10)
        await it.engine.stream()
        assert it.gaps[-1].end is None
        for _ in range(2):
            it.keep_silent(HOLD_S / 2 + 1)
            await asyncio.sleep(1)
        assert it.engine.streams[0].is_finished

        assert it.gaps[-1].end is not None


async def test_the_language_changes_at_a_pause() -> None:
    """What was said before it is understood in the one language, what comes after in the other."""
    async with running() as it:
        it.engine.on_open = lambda stream: setattr(stream, "last_words", tuple(words("one two")))
        it.babble(2)
        first = await it.engine.stream()
        await asyncio.sleep(0.5)
        it.recognition.set_language("fr")
        it.babble(1)
        await asyncio.sleep(SWITCH_WITHIN_S / 2)
        assert not first.is_finished
        it.engine.on_open = lambda _: None
        it.keep_silent(1)
        second = await it.engine.stream(1)
        await asyncio.sleep(0.1)
        second.say(*words("trois"))
        await asyncio.sleep(1)

        assert [stream.language for stream in it.engine.streams] == ["en", "fr"]
        assert first.seconds == pytest.approx(3 + PAUSE_S, abs=CHUNK_S)
        # Nothing was in the middle of it, so nothing comes twice.
        assert first.seconds + second.seconds == pytest.approx(4)
    assert it.text == "one two trois"


async def test_the_language_changes_in_a_monologue_too() -> None:
    """The word that is cut is said by the next stream, from its beginning, and none twice."""
    async with running() as it:
        last = (Word("one", 2.0, 2.5), Word("two", 3.0, 3.5), Word("thr", 4.5, 4.9))
        it.engine.on_open = lambda stream: setattr(stream, "last_words", last)
        first = None
        for _ in range(5):
            it.babble(1)
            first = first or await it.engine.stream()
            if it.now == pytest.approx(2):
                it.recognition.set_language("fr")
                it.engine.on_open = lambda _: None
            await asyncio.sleep(1)
        it.babble(1)
        second = await it.engine.stream(1)
        await asyncio.sleep(0.1)

        assert first is not None
        assert first.seconds == pytest.approx(2 + SWITCH_WITHIN_S, abs=1)
        from_s = 6 - second.seconds
        assert from_s == pytest.approx(3.5 - MARGIN_S, abs=CHUNK_S)
        texts = [("two", 3.0), ("three", 4.5), ("four", 5.2)]
        second.say(*(Word(text, at - from_s, at - from_s + 0.5) for text, at in texts))
        await asyncio.sleep(1)

    assert it.text == "one two three four"
    assert it.gaps == []


async def test_late_last_words_without_times_leave_the_cut_one_to_be_heard_again() -> None:
    """The longer they take, the less of the audio may have been answered, not the more."""
    async with running() as it:
        it.engine.on_open = lambda stream: setattr(stream, "never_ends", not it.engine.streams)
        it.babble(5)
        first = await it.engine.stream()
        it.recognition.set_language("fr")
        await asyncio.sleep(SWITCH_WITHIN_S)
        it.babble(1)
        await asyncio.sleep(6)
        first.say(Word("one"), Word("two"), Word("thr"))
        first.end()
        second = await it.engine.stream(1)
        await asyncio.sleep(0.1)
        assert second.seconds >= 2
        second.say(Word("two"), Word("three"))
        await asyncio.sleep(5)

    assert it.text == "one two three"


async def test_who_is_silent_speaks_the_new_language_from_the_first_word() -> None:
    """The stream that is held through a silence does not get it."""
    async with running() as it:
        it.speak(1)
        it.keep_silent(5)
        first = await it.engine.stream()
        await asyncio.sleep(1)
        it.recognition.set_language("fr")
        it.speak(1)
        second = await it.engine.stream(1)
        await asyncio.sleep(1)

    assert second.language == "fr"
    assert first.seconds == pytest.approx(6)
    assert second.seconds == pytest.approx(1)


async def test_a_language_that_is_taken_back_changes_nothing() -> None:
    """Somebody chose the wrong line of a menu."""
    async with running() as it:
        it.babble(10)
        await it.engine.stream()
        it.recognition.set_language("fr")
        it.recognition.set_language("en")
        it.keep_silent(2)
        await asyncio.sleep(10)

        assert len(it.engine.streams) == 1


async def test_a_model_that_hears_the_language_keeps_its_stream() -> None:
    """It takes no notice of what it is told."""
    async with running() as it:
        it.engine.hears_language = True
        it.speak(1)
        await it.engine.stream()
        it.recognition.set_language("fr")
        it.keep_silent(5)
        await asyncio.sleep(10)

        assert len(it.engine.streams) == 1


@pytest.mark.parametrize("others", [True, False])
async def test_noise_is_no_loss_where_others_are_understood(*, others: bool) -> None:
    """Who types for minutes has not lost a word; but if nobody gets any, it may be the engine."""
    engines: list[Failover] = []

    def wrap(engine: ScriptedEngine) -> SttEngine:
        engines.append(Failover({"first": engine}, Metrics()))
        return engines[0]

    async with running(wrap=wrap) as it, engines[0], engines[0].open(language="en") as other:
        events = other.events()
        for second in range(150):
            it.babble(1)
            if others:
                it.engine.streams[0].say(Word("yes", float(second), second + 0.4))
                await anext(events)
            await asyncio.sleep(1)
        it.keep_silent(HOLD_S + 2)
        await asyncio.sleep(1)
        count = len(it.engine.streams)

    assert count > 3
    assert bool(it.gaps) is not others
