"""Audio of calls on its way to files and the store's index; only where everybody agreed.

Rule: nothing here is ever waited for by whoever captions. Pieces wait here, a few; beyond, the
oldest go and are counted. A file that could not be noted in the index is removed again.
"""

import asyncio
import os
import random
import secrets
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from livebot import logs
from livebot.backoff import Backoff
from livebot.errors import StoreError
from livebot.metrics import Metrics
from livebot.rooms import ogg
from livebot.rooms.book import Book
from livebot.rooms.keeping import Erasure
from livebot.rooms.recorder import Piece
from livebot.store.contract import Audio

log = logs.get("audio")

MOST_WAITING = 32
"""Pieces: 46 MB at most. Writing one takes a quarter of a second."""

TRIES = 5
"""So often a piece is tried, with some seconds between; then it is dropped."""

FIRST_RETRY_S, MOST_RETRY_S = 0.5, 8.0

STORE_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    book: Book
    person: str
    piece: Piece


class Sounds:
    """Writes pieces one after the other.

    Args:
        audio: The store's index and folder.
        metrics: What is counted.
        begin: Lets the store know of a piece's transcript.
    """

    def __init__(
        self, audio: Audio, metrics: Metrics, *, begin: Callable[[Book], Awaitable[None]]
    ) -> None:
        self._audio = audio
        self._metrics = metrics
        self._begin = begin
        self._waiting: deque[_Waiting] = deque()
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._closing = False

    def put(self, book: Book, person: str, piece: Piece) -> None:
        """Keep a piece, soon; ignored where the transcript may have no audio."""
        if not book.head.audio or book.is_erased:
            return
        self._waiting.append(_Waiting(book, person, piece))
        while len(self._waiting) > MOST_WAITING:
            self._dropped(self._waiting.popleft(), "full")
        self._wake.set()

    def close(self) -> None:
        """Take no more; `run()` ends when all is written."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Write what comes."""
        while self._waiting or not self._closing:
            self._wake.clear()
            if not self._waiting:
                await self._wake.wait()
                continue
            await self._write_next()

    async def clear(self) -> None:
        """Drop what is left."""
        while self._waiting:
            self._dropped(self._waiting.popleft(), "stopped")

    async def forget(self, erasure: Erasure, backend: str) -> None:
        """Drop what waits of a person, a room or a transcript of a backend.

        What is being written is waited for.
        """
        async with self._lock:
            self._waiting = deque(
                each
                for each in self._waiting
                if each.book.head.backend != backend
                or not (each.book.is_of(erasure) or each.person == erasure.person != "")
            )

    async def _write_next(self) -> None:
        backoff = Backoff(FIRST_RETRY_S, MOST_RETRY_S)
        for _ in range(TRIES):
            async with self._lock:
                if not self._waiting:
                    return  # forgotten meanwhile
                found = self._waiting.popleft()
                try:
                    await self._write(found)
                except (StoreError, OSError) as exc:
                    why = type(exc).__name__
                    self._waiting.appendleft(found)
                except BaseException:
                    self._waiting.appendleft(found)
                    raise
                else:
                    return
            self._metrics.errors.labels("audio", why).inc()
            log.warning("audio_not_written", why=why)
            await asyncio.sleep(backoff.next_delay(random.random()))  # noqa: S311
        if self._waiting:
            self._dropped(self._waiting.popleft(), "failed")

    async def _write(self, found: _Waiting) -> None:
        """Keep a piece.

        Raises:
            StoreError: It cannot be noted.
            OSError: It cannot be written.
        """
        book, piece = found.book, found.piece
        if book.is_erased:
            return
        await self._begin(book)
        name = secrets.token_hex(16) + ogg.SUFFIX
        path = self._audio.folder / name
        is_noted, is_void = False, threading.Event()
        try:
            await asyncio.to_thread(_write_file, path, piece, is_void)
            async with asyncio.timeout(STORE_S):
                await self._audio.add(
                    book.head.id,
                    person=found.person,
                    start=max(0.0, piece.start - book.origin),
                    end=max(0.0, piece.end - book.origin),
                    name=name,
                )
            is_noted = True
        except TimeoutError:
            raise StoreError("the database does not answer; see whether it is up") from None
        finally:
            if not is_noted:
                # A thread cannot be cancelled: where it still writes, it removes the file itself.
                is_void.set()
                await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))

    def _dropped(self, found: _Waiting, why: str) -> None:
        seconds = found.piece.end - found.piece.start
        self._metrics.audio_not_kept.inc(seconds)
        log.warning("audio_dropped", seconds=round(seconds, 1), why=why)


def _write_file(path: Path, piece: Piece, is_void: threading.Event) -> None:
    """Write a piece where nobody else may read it, unless nobody waits for that any more."""
    data = ogg.encode(piece.samples)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    if is_void.is_set():
        path.unlink(missing_ok=True)
