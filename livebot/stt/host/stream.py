"""A stream of a worker, seen from the parent."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.errors import EngineError, LivebotError, RecordingError
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.host.messages import (
    Audio,
    Done,
    Finish,
    Language,
    Maybe,
    OfStream,
    Paused,
    Progress,
    Spoken,
    Taken,
    ToWorker,
    Unreadable,
)

_SAMPLE_BYTES = 4

UNDER_WAY_S = 5.0
"""Audio sent that the worker has not taken: it takes between passes, so this is plenty."""
_UNDER_WAY = int(UNDER_WAY_S * RATE_HZ * _SAMPLE_BYTES)

SEND_S = 30.0
"""A worker that takes nothing for so long is as good as gone."""

MAX_EVENTS = 10_000
"""Words that nobody reads, an hour's worth: whoever leaves them is gone."""

Send = Callable[[ToWorker, bytes], None]


Note: TypeAlias = Progress | Language
"""What a worker says of a stream besides words."""


class HostStream:
    """One speaker's, or one file's, conversation with a worker; an `SttStream`.

    Args:
        number: What the worker calls it.
        send: Writes a message to the worker; raises EngineError when it is gone.
        on_note: Called with the language, once it is known, and with a file's progress.
    """

    def __init__(
        self, number: int, send: Send, on_note: Callable[[Note], None] = lambda _: None
    ) -> None:
        self.number = number
        self._send = send
        self._on_note = on_note
        self._under_way = 0
        self._room = asyncio.Event()
        self._events: deque[SttEvent] = deque()
        self._news = asyncio.Event()
        self._done = False
        self._fault: Exception | None = None

    async def send(self, chunk: Samples) -> None:
        """Hand over one chunk; waits while the worker has too much to do.

        Raises:
            EngineError: The stream is lost.
        """
        for at in range(0, len(chunk), RATE_HZ):
            payload = np.asarray(chunk[at : at + RATE_HZ], "<f4").tobytes()
            await self._wait_for_room()
            self._under_way += len(payload)
            self._send(Audio(self.number, len(payload)), payload)

    async def finish(self) -> None:
        """Say that no more audio comes.

        Raises:
            EngineError: The stream is lost.
        """
        self._check()
        self._send(Finish(self.number), b"")

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was understood, until the last word after `finish`.

        Raises:
            EngineError: The stream was lost before it was finished.
            RecordingError: The file cannot be read.
            Exception: What `on_note` raised.
        """
        while True:
            while self._events:
                yield self._events.popleft()
            if self._done:
                return
            self._check()
            # Without a deadline: people may be silent. The process's watchdog ends it.
            self._news.clear()
            await self._news.wait()

    def take(self, message: OfStream) -> None:
        """Take in what the worker says about this stream."""
        match message:
            case Spoken(text=text, start=start, end=end, joined=joined):
                self._put(Word(text, start, end, joined=joined))
            case Maybe(text=text):
                self._put(Tentative(text))
            case Paused():
                self._put(Pause())
            case Taken(bytes_taken=count):
                self._under_way -= count
                self._room.set()
            case Done():
                self._done = True
                self._news.set()
            case Progress() | Language():
                self._tell(message)
            case Unreadable(message=text):
                self.fail(RecordingError(text))

    def fail(self, fault: Exception) -> None:
        """Lose the stream: everybody who waits on it hears so."""
        self._fault = fault
        self._news.set()
        self._room.set()

    def _tell(self, note: Note) -> None:
        try:
            self._on_note(note)
        except Exception as exc:  # noqa: BLE001 - its neighbours have the same reader
            self.fail(exc)

    def _put(self, event: SttEvent) -> None:
        """Keep an event: the newest tentative text replaces one still waiting, words stay."""
        if self._events and isinstance(self._events[-1], Tentative):
            self._events.pop()
        if len(self._events) >= MAX_EVENTS:
            self.fail(EngineError("nobody reads the words of this stream"))
            return
        self._events.append(event)
        self._news.set()

    async def _wait_for_room(self) -> None:
        self._check()
        try:
            async with asyncio.timeout(SEND_S):
                while self._under_way >= _UNDER_WAY:
                    self._room.clear()
                    await self._room.wait()
                    self._check()
        except TimeoutError as exc:
            raise EngineError("the recognition worker takes no audio") from exc

    def _check(self) -> None:
        # Each who waits gets an exception of his own.
        match self._fault:
            case None:
                pass
            case EngineError(retryable=retryable):
                raise EngineError(str(self._fault), retryable=retryable)
            case LivebotError():
                raise type(self._fault)(str(self._fault))
            case _:
                raise self._fault
