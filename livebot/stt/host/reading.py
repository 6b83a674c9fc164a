"""One file read by workers: its words, and once more from where a worker died."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from msgspec.structs import replace

from livebot.errors import EngineError
from livebot.stt.engine import Pause, SttEvent, Word
from livebot.stt.host.messages import Language, Progress, Read
from livebot.stt.host.pool import WorkerPool
from livebot.stt.host.stream import Note
from livebot.stt.languages import AUTO

log = structlog.get_logger("stt.host")

AHEAD_S = 60.0
"""A worker may have decoded so much more than it has said to have heard."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard in a file.

    Attributes:
        utterances: Words between two pauses; at least one each, in order, with times.
        duration_s: The file's length.
        language: What was spoken, as was said or found out; empty where nobody spoke.
        probability: How sure the model was of it, 0 to 1; None where it was told.
        model: What recognised it.
    """

    utterances: tuple[tuple[Word, ...], ...]
    duration_s: float
    language: str
    probability: float | None
    model: str


OnUtterance: TypeAlias = Callable[[tuple[Word, ...]], None]
"""Told each utterance once it is whole; must not block."""


class _Hearing:
    """What has been heard so far.

    Args:
        language: What is spoken, or `auto`.
        on_progress: Told how far it is.
        on_utterance: Told what was said.

    Attributes:
        on_sign: Called when it has come further.
        on_further: Called then, too.
    """

    def __init__(
        self, language: str, on_progress: Callable[[Progress], None], on_utterance: OnUtterance
    ) -> None:
        self.language = language
        self.probability: float | None = None
        self.utterances: list[tuple[Word, ...]] = []
        self.heard_s = 0.0
        self.on_sign: Callable[[], None] = _nothing
        self.on_further: Callable[[], None] = _nothing
        self._words: list[Word] = []
        self._on_progress = on_progress
        self._on_utterance = on_utterance

    @property
    def until_s(self) -> float:
        """Return up to where all words are there: the end of the last whole utterance."""
        return self.utterances[-1][-1].end or 0.0 if self.utterances else 0.0

    def take(self, event: SttEvent) -> None:
        """Take in an event."""
        match event:
            case Word():
                self._words.append(event)
            case Pause():
                self.close()
            case _:
                pass
        self._go_further()

    def close(self) -> None:
        """Make an utterance of the words since the last one."""
        if self._words:
            self.utterances.append(tuple(self._words))
            self._words.clear()
            self._on_utterance(self.utterances[-1])

    def note(self, note: Note) -> None:
        """Take in what else there is to know."""
        match note:
            case Language(language=language, probability=probability):
                self.language, self.probability = language, probability
            case Progress(heard_s=heard_s, total_s=total_s):
                if heard_s > self.heard_s:
                    self.heard_s = heard_s
                    self._go_further()
                self._on_progress(Progress(0, self.heard_s, total_s))

    def _go_further(self) -> None:
        self.on_sign()
        self.on_further()

    def begin_again(self) -> None:
        """Forget the words that will come again."""
        self._words.clear()


async def read(
    pool: WorkerPool,
    wanted: Read,
    *,
    model: str,
    within_s: float,
    on_progress: Callable[[Progress], None],
    on_utterance: OnUtterance = lambda _: None,
) -> Recognition:
    """Have a file read. Where a worker dies, another goes on after the last whole utterance.

    Args:
        pool: Its workers.
        wanted: The file, and how to read it.
        model: What users call the model.
        within_s: How long it may go without a sign of progress.
        on_progress: Called with the progress, which never goes back.
        on_utterance: Called with each utterance, once and in order.

    Raises:
        RecordingError: It cannot be read.
        EngineError: Workers died twice at the same place, or no sign came in time.
    """
    hearing = _Hearing(wanted.language, on_progress, on_utterance)
    died_at: float | None = None
    while True:
        try:
            async with _suspected(pool, hearing, died_at):
                await _read(pool, wanted, hearing, within_s)
        except EngineError as exc:
            if not exc.retryable or died_at == hearing.until_s:
                raise
            died_at = hearing.until_s
            log.warning("file_is_read_on", error=str(exc), from_s=round(died_at))
            hearing.begin_again()
        else:
            break
    hearing.close()
    is_known = hearing.language != AUTO
    return Recognition(
        tuple(hearing.utterances),
        hearing.heard_s,
        hearing.language if is_known else "",
        hearing.probability,
        model,
    )


@asynccontextmanager
async def _suspected(
    pool: WorkerPool, hearing: _Hearing, died_at: float | None
) -> AsyncIterator[None]:
    """Go on after a death, one file at a time, until it is clear that this one does not kill.

    All files of a worker lose it at once. Read on together, those that do not kill would lose the
    next one at the same place, too, by the one that does.
    """
    if died_at is None:
        yield
        return
    beyond_s = hearing.heard_s + AHEAD_S

    def clear() -> None:
        if hearing.until_s > died_at or hearing.heard_s > beyond_s:
            hearing.on_further = _nothing
            pool.suspects.release()

    # Without a deadline: whoever has it has one.
    await pool.suspects.acquire()
    hearing.on_further = clear
    try:
        yield
    finally:
        if hearing.on_further is clear:
            hearing.on_further = _nothing
            pool.suspects.release()


async def _read(pool: WorkerPool, wanted: Read, hearing: _Hearing, within_s: float) -> None:
    """Read from where all words are there to the end."""
    loop = asyncio.get_running_loop()
    # Until there are words, the language is a guess, perhaps of a noise: it is found out again.
    language = hearing.language if hearing.utterances else wanted.language
    rest = replace(wanted, language=language, from_s=hearing.until_s)
    try:
        async with asyncio.timeout(within_s) as deadline:

            def sign() -> None:
                if not deadline.expired():
                    deadline.reschedule(loop.time() + within_s)

            hearing.on_sign = sign
            async with pool.read(rest, hearing.note) as stream:
                async for event in stream.events():
                    hearing.take(event)
    except TimeoutError as exc:
        raise EngineError(
            f"nothing came of a file for {within_s:.0f} s: LT_PROCESS_TIMEOUT may be longer",
            retryable=False,
        ) from exc
    finally:
        hearing.on_sign = _nothing


def _nothing() -> None:
    pass
