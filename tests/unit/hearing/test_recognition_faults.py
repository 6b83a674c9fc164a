"""No word is lost and none comes twice, whatever happens to an engine's streams.

That one in another language takes the place of a stream is one of those things.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pytest

from livebot.audio.chunker import Chunker
from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.audio.pipeline import Chunk
from livebot.captions.caption import MODES, Caption, Mode
from livebot.captions.gap import Gap
from livebot.errors import EngineBusyError, EngineError
from livebot.hearing.backlog import Backlog
from livebot.hearing.figures import Figures
from livebot.hearing.recognition import Recognition, RecognitionOptions
from livebot.metrics import Metrics
from livebot.stt.engine import Capabilities, SttEvent, SttStream, Word
from livebot.stt.lease import SWITCH_WITHIN_S
from tests.support.tone_engine import ToneEngine
from tests.support.tone_model import BURST, FRAME, speech

pytestmark = pytest.mark.virtual_time

CHUNK_S = 0.2
WORDS = 80
NAMES = [f"word{number}" for number in range(WORDS)]
"""All different: an engine without times leaves nothing else to tell words apart by."""

WORD = BURST * FRAME
"""So many samples has each."""

FALSE_ALARM_S = 2.0
"""How far an engine without times has come is a guess, which may cost a false alarm; it is too
short to be told to readers."""

STEP = 0.011
"""Each word is so much louder than the one before."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one stream.

    Attributes:
        lives_s: How long it works.
        is_deaf: Whether it then goes on taking audio without a word, instead of breaking.
    """

    lives_s: float
    is_deaf: bool


class Doomed:
    """A stream of the tone model until its time has come."""

    def __init__(self, stream: SttStream, fate: Fate, *, has_times: bool) -> None:
        self._stream = stream
        self._fate = fate
        self._has_times = has_times
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + fate.lives_s
        self._heard = silence(0)

    async def send(self, chunk: Samples) -> None:
        """Pass audio on while alive."""
        if not self._is_over():
            self._heard = np.concatenate([self._heard, chunk])
            await self._stream.send(chunk)

    async def finish(self) -> None:
        """Pass it on while alive."""
        if not self._is_over():
            await self._stream.finish()

    async def events(self) -> AsyncIterator[SttEvent]:
        """Pass events on while alive."""
        events = self._stream.events()
        try:
            async with asyncio.timeout_at(self._end):
                async for event in events:
                    yield self._named(event) if isinstance(event, Word) else event
                return
        except TimeoutError:
            if self._fate.is_deaf:
                await asyncio.Event().wait()
            raise EngineError("the end") from None

    def _named(self, word: Word) -> Word:
        """Tell a word by its loudness: the tone model only counts."""
        assert word.start is not None
        assert word.end is not None
        sound = self._heard[round(word.start * RATE_HZ) : round(word.end * RATE_HZ)]
        name = NAMES[round(float(np.abs(sound).max()) / STEP) - 2]
        if word.end * RATE_HZ >= len(self._heard) and np.count_nonzero(sound) < 0.9 * WORD:
            name = name[:2]  # its end was never heard
        return Word(name, word.start, word.end) if self._has_times else Word(name)

    def _is_over(self) -> bool:
        over = self._loop.time() >= self._end
        if over and not self._fate.is_deaf:
            raise EngineError("the end")
        return over


class DoomedEngine:
    """Opens tone streams that do not live long, and now and then none."""

    def __init__(self, chance: random.Random, *, deaf: float, has_times: bool) -> None:
        self._tones = ToneEngine()
        self._chance = chance
        self._deaf = deaf
        self._has_times = has_times
        self._loop = asyncio.get_running_loop()
        self._made_at = self._loop.time()
        self._opened: list[tuple[float, str]] = []
        self.is_mended = False
        self.session_s: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        """As the tones, in two languages."""
        languages = {"en": "English", "fr": "French"}
        return replace(
            self._tones.capabilities,
            languages=languages,
            word_times=self._has_times,
            session_s=self.session_s,
        )

    def language_at(self, at_s: float) -> str:
        """Return in which language the last stream was opened by then."""
        return next(language for when_s, language in reversed(self._opened) if when_s <= at_s)

    async def __aenter__(self) -> Self:
        """Start nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop nothing."""

    async def check(self) -> str:
        """Say nothing."""
        return ""

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream that is doomed, unless it was mended."""
        if not self.is_mended and self._chance.random() < 0.3:
            raise self._chance.choice((EngineBusyError, EngineError))("not now")
        lives_s = 1e9 if self.is_mended else self._chance.uniform(0.5, 12)
        fate = Fate(lives_s, is_deaf=self._chance.random() < self._deaf)
        self._opened.append((self._loop.time() - self._made_at, language))
        async with self._tones.open(language=language) as stream:
            yield Doomed(stream, fate, has_times=self._has_times)


def loud_speech() -> Samples:
    """Return `WORDS` words, each known by its loudness."""
    sound = speech(WORDS, lead=0).reshape(WORDS, -1)
    loudness = np.arange(WORDS, dtype=np.float32) + 2
    spoken: Samples = (sound / np.abs(sound).max() * STEP * loudness[:, None]).reshape(-1)
    return spoken


async def converse(
    engine: DoomedEngine, switches: Iterable[float] = ()
) -> tuple[list[str], list[Gap]]:
    """Say `WORDS` words in real time; return the words that readers get, and the gaps.

    At each of the times given, in order, the language changes, if only in name.
    """
    captions: list[Caption] = []
    gaps: list[Gap] = []
    backlog = Backlog(120, lambda chunk: recognition.missed(chunk))  # noqa: PLW0108
    recognition = Recognition(
        engine,
        RecognitionOptions(language="en"),
        backlog=backlog,
        figures=Figures(Metrics()),
        on_caption=captions.append,
        on_gap=gaps.append,
    )
    async with asyncio.timeout(1000), asyncio.TaskGroup() as group:
        group.create_task(recognition.run())
        switching = group.create_task(switch(recognition, switches))
        chunker = Chunker(round(CHUNK_S * RATE_HZ))
        for number, samples in enumerate(chunker.push(loud_speech())):
            backlog.put(Chunk(samples, number * CHUNK_S))
            await asyncio.sleep(CHUNK_S)
        switching.cancel()
        engine.is_mended = True
        backlog.close()
    appended, replaced = (said(captions, mode) for mode in MODES)
    assert appended == replaced
    return appended, gaps


async def switch(recognition: Recognition, times: Iterable[float]) -> None:
    """Change the language at each of these times, back and forth."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for at_s, language in zip(times, itertools.cycle(["fr", "en"])):
        await asyncio.sleep(begun + at_s - loop.time())
        recognition.set_language(language)


def said(captions: list[Caption], mode: Mode) -> list[str]:
    """Return the words that readers of a mode have for good."""
    finals = [each.text for each in captions if each.final and each.mode == mode]
    return " ".join(finals).split()


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("seed", range(20))
async def test_streams_that_break_cost_no_word(seed: int, *, has_times: bool) -> None:
    """However often they do, wherever in a word, and whether or not words carry times."""
    engine = DoomedEngine(random.Random(seed), deaf=0.0, has_times=has_times)

    assert await converse(engine) == (NAMES, [])


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("seed", range(10))
async def test_streams_that_grow_deaf_cost_no_word(seed: int, *, has_times: bool) -> None:
    """They are found out before what they swallowed is forgotten."""
    engine = DoomedEngine(random.Random(seed), deaf=0.5, has_times=has_times)
    words, gaps = await converse(engine)

    assert words == NAMES
    assert sum(gap.lost_s for gap in gaps) <= (0.0 if has_times else FALSE_ALARM_S)


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("session_s", [3.0, 5.3, 10.0, 21.7])
async def test_streams_that_may_not_live_long_cost_no_word(
    session_s: float, *, has_times: bool
) -> None:
    """They are ended before the endpoint does it, though there is no pause to do it at."""
    engine = DoomedEngine(random.Random(0), deaf=0.0, has_times=has_times)
    engine.is_mended = True
    engine.session_s = session_s

    assert await converse(engine) == (NAMES, [])


def moments(chance: random.Random, count: int) -> list[float]:
    """Return some times within what is said, in order."""
    return sorted(chance.uniform(0, 0.48 * WORDS) for _ in range(count))


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("seed", range(20))
async def test_changes_of_the_language_cost_no_word(seed: int, *, has_times: bool) -> None:
    """Wherever in a word they come: what is said has no pause in it."""
    chance = random.Random(seed)
    switches = moments(chance, 1 + seed % 6)
    engine = DoomedEngine(chance, deaf=0.0, has_times=has_times)
    engine.is_mended = True

    assert await converse(engine, switches) == (NAMES, [])
    asked = list(zip([0.0, *switches, 0.48 * WORDS], itertools.cycle(["en", "fr"])))
    for (at_s, language), (until_s, _) in itertools.pairwise(asked):
        due_s = at_s + SWITCH_WITHIN_S + 2 * CHUNK_S
        assert due_s >= until_s or engine.language_at(due_s) == language


@pytest.mark.parametrize("has_times", [True, False])
@pytest.mark.parametrize("seed", range(20))
async def test_changes_of_the_language_beside_faults_cost_no_word(
    seed: int, *, has_times: bool
) -> None:
    """Streams break meanwhile, which may be while the last words of one are awaited."""
    chance = random.Random(seed)
    switches = moments(chance, 6)
    engine = DoomedEngine(chance, deaf=0.0, has_times=has_times)
    words, gaps = await converse(engine, switches)

    assert words == NAMES
    assert sum(gap.lost_s for gap in gaps) <= (0.0 if has_times else FALSE_ALARM_S)
