"""An engine host without a model: it says what files and streams are called, or how long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.diarize.turns import Turn
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.host.messages import Progress
from livebot.stt.host.reading import Recognition
from livebot.stt.host.status import HostStatus


class FakeStream:
    """Says how many samples each chunk has.

    Attributes:
        is_taking: Unset, it takes no audio.
    """

    def __init__(self) -> None:
        self._events: asyncio.Queue[SttEvent | EngineError | None] = asyncio.Queue()
        self.is_taking = asyncio.Event()
        self.is_taking.set()

    async def send(self, chunk: Samples) -> None:
        """Take a chunk and say its length."""
        await self.is_taking.wait()
        self._events.put_nowait(Tentative("..."))
        self._events.put_nowait(Word(str(len(chunk)), 0.0, 1.0))

    async def finish(self) -> None:
        """Say the last word."""
        self._events.put_nowait(Pause())
        self._events.put_nowait(None)

    def fail(self, fault: EngineError) -> None:
        """Lose the stream."""
        self._events.put_nowait(fault)

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was said."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, EngineError):
                raise event
            yield event


class FakeHost:
    """Recognises a file as its name; waits before while `gate` is unset.

    Attributes:
        gate: What each file waits for.
        fault: Raised instead of an answer.
        reports: The progress that is told of each file.
        running: How many files are under way.
        streams: All that were opened.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.reports: list[Progress] = []
        self.running = 0
        self.asked: list[tuple[str, str]] = []
        self.streams: list[FakeStream] = []
        self.open_streams = 0

    async def recognise(
        self,
        path: Path,
        *,
        language: str = "",
        model: str = "",
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Recognition:
        """Return the file's name as what was said in it."""
        self.asked.append((language, model))
        self.running += 1
        try:
            for report in self.reports:
                on_progress(report)
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.fault:
            raise self.fault
        words = (Word(path.name, 0.5, 1.25), Word("!", 1.25, 1.5, joined=True))
        return Recognition((words, (Word("end", 2.0, 3.0004),)), 4.0, "en", None, "fake")

    @asynccontextmanager
    async def open(self, *, language: str = "", model: str = "") -> AsyncIterator[FakeStream]:
        """Open a stream."""
        self.asked.append((language, model))
        await self.gate.wait()
        if self.fault:
            raise self.fault
        stream = FakeStream()
        self.streams.append(stream)
        self.open_streams += 1
        try:
            yield stream
        finally:
            self.open_streams -= 1

    def status(self) -> HostStatus:
        """Say that all is well."""
        return HostStatus(
            running=True,
            healthy=True,
            restart_count=0,
            model="fake",
            language="auto",
            waiting=0,
            working=self.running,
            models=("fake",),
            troubles=(),
        )


async def find_turns(path: Path, speakers: int | None) -> list[Turn]:
    """Find two people, one after the other, unless there is said to be one."""
    assert path.is_absolute()
    return [Turn(0.0, 1.9, 0), Turn(1.9, 9.0, 0 if speakers == 1 else 1)]
