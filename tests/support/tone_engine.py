"""An engine in this process for tests: the tone model behind the contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from livebot.audio.pcm import Samples, silence
from livebot.errors import EngineBusyError, EngineError
from livebot.stt.engine import Capabilities, Pause, SttEvent, SttStream, Word
from tests.support.tone_model import FRAME, ToneModel

FLUSH = 10 * FRAME


class ToneEngine:
    """Opens streams on tone models.

    Args:
        slots: How many streams there may be at once.
        breaks_after: Break each stream after so many chunks.

    Attributes:
        opened: How many streams are open.
        lengths: How long the chunks were that came.
    """

    def __init__(self, *, slots: int = 100, breaks_after: int | None = None) -> None:
        self.slots = slots
        self.opened = 0
        self.lengths: set[int] = set()
        self._breaks_after = breaks_after

    @property
    def capabilities(self) -> Capabilities:
        """English with pauses and times."""
        return Capabilities({"en": "English"}, word_times=True, pauses=True)

    async def __aenter__(self) -> Self:
        """Start nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop nothing."""

    def open(self, *, language: str) -> AbstractAsyncContextManager[SttStream]:
        """Open a stream while a slot is free."""
        del language
        return self._open()

    async def check(self) -> str:
        """Say that it works."""
        return "tones"

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[SttStream]:
        if self.opened >= self.slots:
            raise EngineBusyError("no slot is free")
        self.opened += 1
        try:
            yield ToneStream(self.lengths, self._breaks_after)
        finally:
            self.opened -= 1


class ToneStream:
    """One stream on a tone model."""

    def __init__(self, lengths: set[int], breaks_after: int | None) -> None:
        self._lengths = lengths
        self._model = ToneModel()
        self._breaks_after = breaks_after
        self._events: asyncio.Queue[SttEvent | None] = asyncio.Queue(1_000)

    async def send(self, chunk: Samples) -> None:
        """Hear the chunk at once."""
        self._lengths.add(len(chunk))
        if self._breaks_after is not None:
            self._breaks_after -= 1
            if self._breaks_after < 0:
                raise EngineError("broken by the test")
        for step in self._model.feed(chunk):
            for heard in step.words:
                await self._events.put(Word(heard.text, heard.start_s, heard.stop_s))
            if step.is_pause:
                await self._events.put(Pause())

    async def finish(self) -> None:
        """Hear silence, then end."""
        await self.send(silence(FLUSH))
        await self._events.put(None)

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was heard."""
        while (event := await self._events.get()) is not None:
            yield event
