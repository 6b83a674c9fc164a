"""Transcripts of calls on their way to the store: one writer for all rooms of the process.

Rule: nobody who captions waits for a disk. What is said waits here, bounded; where the store is
away it is tried again, and what does not fit goes, the oldest first, and is counted.
"""

import asyncio
import random
from collections.abc import Awaitable
from typing import Self

from livebot import logs
from livebot.backoff import Backoff
from livebot.errors import StoreError
from livebot.metrics import Metrics
from livebot.rooms.book import Book, Ending
from livebot.rooms.keeping import Erasure
from livebot.rooms.sounds import Sounds
from livebot.store.contract import Store
from livebot.store.records import StoredGap, StoredUtterance

log = logs.get("transcripts")

MOST_WAITING = 10_000
"""Utterances of all rooms: some hours of a lively call, and about 20 MB."""

AT_ONCE = 200
"""Utterances that are kept in one transaction."""

STORE_S = 10.0
"""A store that has not answered by then is taken for away."""

FIRST_RETRY_S, MOST_RETRY_S = 0.5, 30.0

LAST_S = 5.0
"""How long stopping waits for what is not kept yet."""


class Archive:
    """What keeps transcripts and audio of calls, from entering to leaving the context.

    Args:
        store: Where.
        metrics: What is counted.

    Attributes:
        sounds: Where audio goes.
    """

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._transcripts = store.transcripts
        self._metrics = metrics
        self._books: dict[str, Book] = {}
        self._count = 0
        self._is_failing = False
        self._backoff = Backoff(FIRST_RETRY_S, MOST_RETRY_S)
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self.sounds = Sounds(store.audio, metrics, begin=self._begin)

    async def __aenter__(self) -> Self:
        """Begin to write."""
        await self._group.__aenter__()
        self._tasks = [
            self._group.create_task(self._run(), name="transcripts"),
            self._group.create_task(self.sounds.run(), name="audio-files"),
        ]
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Write what waits, as far as that is possible soon."""
        self._closing.set()
        self._wake.set()
        self.sounds.close()
        await asyncio.wait(self._tasks, timeout=LAST_S)
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(*exc)  # type: ignore[arg-type]
        await self.sounds.clear()
        if self._count:
            self._dropped(self._count)
            log.error("transcripts_lost", utterances=self._count)

    @property
    def waiting(self) -> int:
        """How many utterances are not kept yet."""
        return self._count

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""
        return [f"{self._count} utterances of calls wait to be kept"] if self._is_failing else []

    # What rooms say; nothing of it waits.

    def add(self, book: Book, said: StoredUtterance | StoredGap) -> None:
        """Keep what was said or is missing, soon; ignored where the transcript was erased."""
        if book.is_erased:
            return
        self._books[book.head.id] = book
        book.waiting.append(book.placed(said))
        self._count += 1
        while self._count > MOST_WAITING:
            self._drop_oldest()
        self._wake.set()

    def end(self, book: Book, ending: Ending) -> None:
        """Say that nothing more comes; a transcript of nothing is none."""
        book.ending = ending
        if not book.is_erased and (book.is_begun or book.waiting):
            self._books[book.head.id] = book
            self._wake.set()

    async def forget(self, erasure: Erasure, backend: str) -> None:
        """Drop what waits of a person, a room or a transcript of a backend.

        What is being written is waited for: who erases afterwards finds it in the store.
        """
        async with self._lock:
            for book in [each for each in self._books.values() if each.head.backend == backend]:
                if book.is_of(erasure):
                    book.is_erased = True
                    book.waiting.clear()
                    del self._books[book.head.id]
                elif erasure.person:
                    book.forget(erasure.person)
            self._count = sum(len(book.waiting) for book in self._books.values())
        await self.sounds.forget(erasure, backend)

    # Writing.

    async def _run(self) -> None:
        while self._books or not self._closing.is_set():
            self._wake.clear()
            if not self._books:
                await self._wake.wait()
                continue
            try:
                await self._write(next(iter(self._books.values())))
            except StoreError as exc:
                await self._failed(exc)
            else:
                self._is_failing = False
                self._backoff.reset()

    async def _write(self, book: Book) -> None:
        """Keep some of what waits of a transcript.

        Raises:
            StoreError: It is not kept, and waits again.
        """
        async with self._lock:
            if book.is_erased:
                return
            some = [book.waiting.popleft() for _ in range(min(AT_ONCE, len(book.waiting)))]
            self._count -= len(some)
            try:
                await self._keep(book, some)
            except BaseException:
                book.waiting.extendleft(reversed(some))
                self._count += len(some)
                raise
            if not book.waiting:
                self._books.pop(book.head.id, None)
                if book.ending is not None:
                    await self._end(book, book.ending)

    async def _keep(self, book: Book, some: list[StoredUtterance | StoredGap]) -> None:
        await self._begin_unlocked(book)
        if some:
            await _in_time(
                self._transcripts.add(
                    book.head.id,
                    [each for each in some if isinstance(each, StoredUtterance)],
                    [each for each in some if isinstance(each, StoredGap)],
                )
            )

    async def _end(self, book: Book, ending: Ending) -> None:
        try:
            await _in_time(
                self._transcripts.end(
                    book.head.id,
                    ended_at=ending.ended_at,
                    duration=ending.duration,
                    language=ending.language,
                )
            )
        except BaseException:
            self._books[book.head.id] = book
            raise

    async def _begin(self, book: Book) -> None:
        """Let the store know of a transcript of which there is audio before there are words."""
        async with self._lock:
            await self._begin_unlocked(book)

    async def _begin_unlocked(self, book: Book) -> None:
        if not (book.is_begun or book.is_erased):
            await _in_time(self._transcripts.begin(book.head))
            book.is_begun = True

    async def _failed(self, error: StoreError) -> None:
        self._metrics.errors.labels("transcripts", type(error).__name__).inc()
        if not self._is_failing:
            log.error("transcripts_not_kept", error=str(error))
        self._is_failing = True
        # Others first: one transcript that cannot be kept holds up no other.
        name, book = next(iter(self._books.items()))
        self._books[name] = self._books.pop(name, book)
        try:
            async with asyncio.timeout(self._backoff.next_delay(random.random())):  # noqa: S311
                await self._closing.wait()
                await asyncio.sleep(FIRST_RETRY_S)
        except TimeoutError:
            pass

    def _drop_oldest(self) -> None:
        for book in self._books.values():
            if book.waiting:
                book.waiting.popleft()
                self._count -= 1
                self._dropped(1)
                return

    def _dropped(self, count: int) -> None:
        self._metrics.utterances_dropped.inc(count)


async def _in_time(answer: Awaitable[None]) -> None:
    """Wait for the store.

    Raises:
        StoreError: It says that it cannot, or nothing.
    """
    try:
        async with asyncio.timeout(STORE_S):
            await answer
    except TimeoutError:
        raise StoreError("the database does not answer; see whether it is up") from None
