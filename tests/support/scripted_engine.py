"""An engine that hears what the test tells it to: no model, no process."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.engine import Capabilities, Pause, SttEvent, SttStream, Word


@dataclass(slots=True)
class ScriptedStream:
    """A stream; `say()` makes it understand something, `fail()` breaks it."""

    chunks: list[Samples] = field(default_factory=list)
    is_finished: bool = False
    _events: asyncio.Queue[SttEvent | EngineError | None] = field(default_factory=asyncio.Queue)
    _refusing: EngineError | None = None
    last_words: tuple[SttEvent, ...] = ()
    never_ends: bool = False
    _lives_s: float = math.inf
    _wait_s: float = 0.0
    language: str = ""

    async def send(self, chunk: Samples) -> None:
        """Take a chunk, or fail if told to."""
        if self._refusing:
            raise self._refusing
        if self._wait_s:
            await asyncio.sleep(self._wait_s)
        self.chunks.append(chunk)
        if self.seconds >= self._lives_s:
            self.fail(EngineError("worn out"))

    async def finish(self) -> None:
        """Say the last words and end, unless told not to."""
        self.is_finished = True
        for event in self.last_words:
            self._events.put_nowait(event)
        if not self.never_ends:
            self.end()

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what `say()` was given."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, EngineError):
                raise event
            yield event

    def say(self, *events: SttEvent) -> None:
        """Understand something."""
        for event in events:
            self._events.put_nowait(event)

    def end(self) -> None:
        """Have said all."""
        self._events.put_nowait(None)

    def fail(self, error: EngineError) -> None:
        """Break: what is sent and what is awaited both fail."""
        self._refusing = error
        self._events.put_nowait(error)

    def fail_after(self, seconds: float) -> None:
        """Break as soon as so much audio was taken."""
        self._lives_s = seconds

    def be_slow(self, wait_s: float) -> None:
        """Take so long for each chunk."""
        self._wait_s = wait_s

    @property
    def seconds(self) -> float:
        """Return how much audio was taken."""
        return sum(len(chunk) for chunk in self.chunks) / 24_000


@dataclass(slots=True)
class ScriptedEngine:
    """Streams in the order they were opened; `refusals` are raised by the next openings."""

    languages: Mapping[str, str] = field(default_factory=lambda: {"en": "English"})
    streams: list[ScriptedStream] = field(default_factory=list)
    refusals: list[EngineError] = field(default_factory=list)
    open_now: int = 0
    session_s: float | None = None
    watched: bool = False
    pauses: bool = True
    hears_language: bool = False
    on_open: Callable[[ScriptedStream], None] = lambda _: None
    _opened: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def capabilities(self) -> Capabilities:
        """Say that it tells times, and what else the test says."""
        return Capabilities(
            languages=self.languages,
            word_times=True,
            pauses=self.pauses,
            session_s=self.session_s,
            watched=self.watched,
            hears_language=self.hears_language,
        )

    async def __aenter__(self) -> Self:
        """Do nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing."""

    async def check(self) -> str:
        """Say that all is well."""
        return "scripted"

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream, or refuse it if told to."""
        assert language in self.languages
        if self.refusals:
            raise self.refusals.pop(0)
        stream = ScriptedStream(language=language)
        self.on_open(stream)
        self.open_now += 1
        async with self._opened:
            self.streams.append(stream)
            self._opened.notify_all()
        try:
            yield stream
        finally:
            self.open_now -= 1

    async def stream(self, number: int = 0) -> ScriptedStream:
        """Wait for the n-th stream to be opened."""
        async with asyncio.timeout(60), self._opened:
            await self._opened.wait_for(lambda: len(self.streams) > number)
        return self.streams[number]


def words(text: str, start: float = 0.0) -> list[SttEvent]:
    """Return an utterance: half a second a word, then a pause."""
    found: list[SttEvent] = [
        Word(word, start + number / 2, start + number / 2 + 0.4)
        for number, word in enumerate(text.split())
    ]
    return [*found, Pause()]
