"""A file's words, whole and once, whatever happens to the workers that read it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import EngineError, RecordingError
from livebot.stt.engine import Pause, SttEvent, Word
from livebot.stt.host.messages import Language, Progress, Read
from livebot.stt.host.reading import Recognition, read
from livebot.stt.host.stream import Note

UTTERANCES = 6
LENGTH = 3
"""Words in each; one a second, and a second of silence behind the last."""

WORDS = tuple(
    tuple(Word(f"word{u}-{n}", u * 4.0 + n, u * 4.0 + n + 0.8) for n in range(LENGTH))
    for u in range(UTTERANCES)
)
TOTAL_S = 4.0 * UTTERANCES


class Mortal:
    """Workers that read the same recording, and die after so many events."""

    def __init__(self, lives: list[int], fault: Exception | None = None) -> None:
        self._lives = lives
        self._fault = fault or EngineError("the recognition worker ended")
        self.asked: list[tuple[str, float]] = []
        self.suspects = asyncio.Lock()

    @asynccontextmanager
    async def read(self, wanted: Read, on_note: Callable[[Note], None]) -> AsyncIterator[Any]:
        """Give a stream."""
        language, from_s = wanted.language, wanted.from_s
        self.asked.append((language, from_s))
        lives = self._lives.pop(0) if self._lives else 1000

        class Stream:
            @staticmethod
            async def events() -> AsyncIterator[SttEvent]:
                left = lives
                if language == "auto":
                    on_note(Language(1, "fr", 0.75))
                for words in WORDS:
                    if (words[0].start or 0.0) < from_s:
                        continue
                    events: tuple[SttEvent, ...] = (*words, Pause())
                    for event in events:
                        if not left:
                            raise self._fault
                        left -= 1
                        if isinstance(event, Word):
                            on_note(Progress(1, event.end or 0.0, TOTAL_S))
                        yield event
                on_note(Progress(1, TOTAL_S, TOTAL_S))

        yield Stream()


async def recognise(pool: Any, language: str = "en") -> tuple[Recognition, list[float]]:
    """Read; return what was heard, and the progress. Each utterance is told once, in order."""
    heard: list[float] = []
    said: list[tuple[Word, ...]] = []
    found = await read(
        pool,
        Read(0, "a.wav", language),
        model="m",
        on_progress=lambda progress: heard.append(progress.heard_s),
        on_utterance=said.append,
        within_s=60.0,
    )
    assert tuple(said) == found.utterances
    return found, heard


@given(st.lists(st.integers(LENGTH + 1, UTTERANCES * (LENGTH + 1)), max_size=4))
def test_a_worker_may_die_anywhere(lives: list[int]) -> None:
    """As long as an utterance was finished since the last death: each word comes once."""
    found, heard = asyncio.run(recognise(Mortal(lives)))

    assert found.utterances == WORDS
    assert heard == sorted(heard)
    assert found.duration_s == TOTAL_S


@pytest.mark.parametrize("lives", [[0, 0], [2, 3], [5, 1, 2]])
async def test_a_file_that_kills_twice_at_the_same_place_is_given_up(lives: list[int]) -> None:
    """It would kill for ever. One death there is forgiven."""
    with pytest.raises(EngineError, match="ended"):
        await recognise(Mortal(list(lives)))

    assert (await recognise(Mortal(lives[:1])))[0].utterances == WORDS


@pytest.mark.parametrize(
    "fault", [RecordingError("no sound"), EngineError("no such model", retryable=False)]
)
async def test_what_another_try_does_not_cure_is_told_at_once(fault: Exception) -> None:
    """Nobody reads the file again."""
    pool = Mortal([6], fault)
    with pytest.raises(type(fault), match=str(fault)):
        await recognise(pool)

    assert len(pool.asked) == 1


async def test_the_language_that_was_found_out_stays() -> None:
    """Also where another worker goes on; and it is told with how sure the model was."""
    pool = Mortal([6])
    found, _ = await recognise(pool, language="auto")

    assert (found.language, found.probability) == ("fr", 0.75)
    assert pool.asked == [("auto", 0.0), ("fr", WORDS[0][-1].end)]
    early = Mortal([1])
    await recognise(early, language="auto")
    assert early.asked == [("auto", 0.0)] * 2
    told, _ = await recognise(Mortal([]))
    assert (told.language, told.probability) == ("en", None)


@pytest.mark.virtual_time
async def test_a_file_that_gets_nowhere_is_given_up() -> None:
    """However long it takes as a whole: what counts is the time without any progress."""

    class Slow(Mortal):
        """One word a minute, and none after the first utterance."""

        @asynccontextmanager
        async def read(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
            class Stream:
                @staticmethod
                async def events() -> AsyncIterator[SttEvent]:
                    for word in WORDS[0]:
                        await asyncio.sleep(50)
                        yield word
                    await asyncio.Event().wait()

            yield Stream()

    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(EngineError, match="LT_PROCESS_TIMEOUT"):
        await recognise(Slow([]))

    assert loop.time() - started == pytest.approx(50 * LENGTH + 60, abs=1)


class Shared:
    """One worker after the other, with all files in it: who reads the deadly one ends it."""

    def __init__(self, deadly: str) -> None:
        self._deadly = deadly
        self._over = asyncio.Event()
        self.suspects = asyncio.Lock()

    @asynccontextmanager
    async def read(self, wanted: Read, on_note: Callable[[Note], None]) -> AsyncIterator[Any]:
        """Give a stream; its words take a while."""
        over = self._over

        async def dies() -> bool:
            try:
                await asyncio.wait_for(over.wait(), 1.0)
            except TimeoutError:
                return False
            return True

        class Stream:
            @staticmethod
            async def events() -> AsyncIterator[SttEvent]:
                for words in WORDS:
                    if (words[0].start or 0.0) < wanted.from_s:
                        continue
                    if wanted.path == self._deadly:
                        over.set()
                        self._over = asyncio.Event()
                    if await dies():
                        raise EngineError("the recognition worker ended")
                    on_note(Progress(1, words[-1].end or 0.0, TOTAL_S))
                    for word in words:
                        yield word
                    yield Pause()
                on_note(Progress(1, TOTAL_S, TOTAL_S))

        yield Stream()


@pytest.mark.virtual_time
@pytest.mark.parametrize("place", range(4))
async def test_a_file_that_kills_takes_no_others_with_it(place: int) -> None:
    """They had the same worker, twice: but it is not they who kill."""
    pool: Any = Shared("deadly")
    names = [f"{n}.wav" for n in range(3)]
    names.insert(place, "deadly")
    readings = [
        read(pool, Read(0, name), model="m", within_s=60.0, on_progress=lambda _: None)
        for name in names
    ]
    found = await asyncio.gather(*readings, return_exceptions=True)

    assert isinstance(found.pop(place), EngineError)
    assert [each.utterances for each in found if isinstance(each, Recognition)] == [WORDS] * 3
    assert not pool.suspects.locked()


@pytest.mark.virtual_time
async def test_what_is_cleared_of_killing_holds_up_nobody() -> None:
    """Once it is further than where its worker died, others may show that it was not they."""
    pool: Any = Shared("deadly")
    readings = [
        asyncio.create_task(
            read(pool, Read(0, name), model="m", within_s=60.0, on_progress=lambda _: None)
        )
        for name in ("a.wav", "b.wav", "deadly")
    ]
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*readings, return_exceptions=True)

    assert not any(task.exception() for task in readings[:2])
    # One after the other, they would take twice as long as one.
    assert loop.time() - started < 1.5 * UTTERANCES
