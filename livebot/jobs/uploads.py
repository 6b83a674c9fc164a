"""Files of others on their way to disk: within limits, and never under a name of theirs."""

import asyncio
import errno
import os
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from livebot import logs
from livebot.errors import BusyError, RequestError, StoreError
from livebot.jobs import disk

log = logs.get("jobs")

MOST_NAME: Final = 255
"""Characters; file systems have no longer names."""

_BLOCK = 1 << 18
"""Bytes that are gathered before they are written, and after which the disk is looked at: with
hundreds of uploads at once, that is the memory they take."""

_MB = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the direction in which a text is read, and may make one name look another."""

T = TypeVar("T")


class TooLargeError(RequestError):
    """A file has more bytes than are taken."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came whole: where it is, what its owner calls it, and how many bytes it has."""

    path: Path
    name: str
    size: int


class Uploads:
    """The folder of uploads.

    Args:
        folder: It; made by `start()`.
        max_mb: The largest file.
    """

    def __init__(self, folder: Path, *, max_mb: int) -> None:
        self._folder = folder
        self._max_bytes = max_mb * _MB
        self._too_large = (
            f"the file has more than {max_mb} MB: LT_UPLOAD_MAX_MB may allow more; sound alone,"
            " without pictures, takes far less"
        )
        self._held: dict[Path, int] = {}

    async def start(self) -> None:
        """Make the folder.

        Raises:
            StoreError: It cannot be made.
        """
        try:
            await asyncio.to_thread(disk.prepare, self._folder)
        except OSError as exc:
            raise _unwritable(exc) from exc

    def check(self, size: int | None) -> None:
        """Check the size that a file is said to have.

        Raises:
            TooLargeError: That is too much.
        """
        if size is not None and size > self._max_bytes:
            raise TooLargeError(self._too_large)

    async def receive(
        self, name: str, pieces: AsyncIterator[bytes], *, size: int | None = None
    ) -> Upload:
        """Write a file to disk as it comes. However this ends, nothing is left but the upload.

        Args:
            name: As its owner calls it; never used as a path.
            pieces: Its bytes.
            size: How many that will be, about; None where nobody says.

        Raises:
            RequestError: It is larger than is allowed, or empty.
            BusyError: The disk is full, or nearly.
            StoreError: The folder cannot be written to.
        """
        self.check(size)
        try:
            await self._check_room(size or 0)
            path = self._folder / disk.name()
            try:
                written = await self._write(await _unbroken(self._create, path), pieces)
            except BaseException:
                await _unbroken(self._drop, path)
                raise
        except OSError as exc:
            if isinstance(exc, ConnectionError | TimeoutError):
                raise
            raise _full() if exc.errno in _FULL else _unwritable(exc) from exc
        return Upload(path, label(name), written)

    async def release(self, path: Path) -> None:
        """Leave a file to the job that needs it: nobody waits for it here."""
        await _unbroken(self._release, path)

    async def discard(self, path: Path) -> None:
        """Remove a file; one that is gone is no fault."""
        await _unbroken(self._drop, path)

    async def is_awaited(self, path: Path) -> bool:
        """Say whether somebody, in whichever process, still holds a file."""
        return await asyncio.to_thread(disk.is_held, path)

    async def clean(self, needed: Callable[[], Awaitable[frozenset[str]]]) -> int:
        """Remove files that no process holds and no job needs.

        Args:
            needed: Says which files jobs need. Asked while the others are locked: who makes a
                job of a file holds it until the job is known.
        """
        removed = 0
        batches = disk.unheld(self._folder)
        try:
            while (batch := await _unbroken(next, batches, None)) is not None:
                kept = await needed() if batch else frozenset[str]()
                left = [path for path in batch if str(path) not in kept]
                for path in left:
                    await _unbroken(disk.remove, path)
                removed += len(left)
        finally:
            batches.close()
        if removed:
            log.info("uploads_removed", files=removed)
        return removed

    async def is_full(self) -> bool:
        """Say whether there is no room for uploads."""
        try:
            return await asyncio.to_thread(disk.free, self._folder) <= 0
        except OSError:
            return True

    async def _check_room(self, size: int) -> None:
        if await asyncio.to_thread(disk.free, self._folder) <= size:
            raise _full()

    async def _write(self, number: int, pieces: AsyncIterator[bytes]) -> int:
        total, block = 0, bytearray()
        async for piece in pieces:
            total += len(piece)
            self.check(total)
            block += piece
            if len(block) >= _BLOCK:
                await self._flush(number, block)
        if not total:
            raise RequestError("the file is empty: choose one that holds sound")
        await self._flush(number, block)
        # Disks may say only now that they are full.
        await _unbroken(os.fsync, number)
        return total

    async def _flush(self, number: int, block: bytearray) -> None:
        await self._check_room(len(block))
        await _unbroken(disk.write_all, number, bytes(block))
        block.clear()

    # In threads.

    def _create(self, path: Path) -> int:
        self._held[path] = number = disk.create(path)
        return number

    def _release(self, path: Path) -> None:
        if (number := self._held.pop(path, None)) is not None:
            os.close(number)

    def _drop(self, path: Path) -> None:
        disk.remove(path)
        self._release(path)


def label(name: str) -> str:
    """Return what a file is shown as: its last name, on one line, and not too long."""
    # Browsers and curl write so what would end the name's quotation marks.
    last = name.replace("%22", '"').replace("\\", "/").rstrip("/").rpartition("/")[2]
    marks = (c for c in last if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"})
    shown = " ".join("".join(c for c in marks if c not in _TURNING).split())
    return shown[:MOST_NAME].strip() or "recording"


async def _unbroken(call: Callable[..., T], *arguments: object) -> T:
    """Call in a thread; who is cancelled waits, or a file would be closed under its writer."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _full() -> BusyError:
    return BusyError("there is no room for the file on the service's disk: try again later")


def _unwritable(exc: OSError) -> StoreError:
    return StoreError(
        f"the folder of uploads cannot be used ({exc.strerror or exc}): check LT_DATA_DIR"
    )
