"""No trace of what was erased in the database's files.

SQLite overwrites what it deletes, but where it had moved rows from page to page before, copies
are left in the unused parts of pages. Only writing the whole file anew is certain. That takes a
second for some hundred megabytes and stops writers meanwhile, so those who erase at the same time
share it, and what expires waits for its turn.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from livebot import logs
from livebot.errors import StoreError

log = logs.get("store")

TRIES = 5
AGAIN_S = 0.2
"""Between two tries, where another process reads what would be cut off."""

SHARE = 0.02
"""Of the time, at most, for what nobody waits for."""


class Files(Protocol):
    """A database's files."""

    async def rewrite(self, tables: Sequence[str]) -> bool:
        """Write them anew where rows of these tables were erased; False where others read."""

    async def cut(self) -> bool:
        """Cut off what is no longer needed; False where others read."""


class Scrubber:
    """Clears the files after something was erased.

    Args:
        files: What is to be cleared.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._dirty: set[str] = set()
        self._turn = asyncio.Lock()
        self._not_before = 0.0
        self.has_failed = False

    def soil(self, tables: Iterable[str]) -> None:
        """Note that something was erased."""
        self._dirty |= set(tables)

    async def scrub(self, tables: Iterable[str]) -> None:
        """Clear what was just erased from tables; where that fails, it is tried again later."""
        self.soil(tables)
        async with self._turn:
            # Whoever had the turn cleared ours, too, if we had erased before it began.
            if self._dirty:
                await self._rewrite()

    async def wipe(self, tables: Iterable[str]) -> None:
        """Clear most of what was just erased, and the rest, too, unless that was done lately."""
        self.soil(tables)
        if time.monotonic() >= self._not_before:
            await self.catch_up()
            return
        try:
            await self._files.cut()
        except StoreError:
            log.warning("files_not_cleared")

    async def catch_up(self) -> None:
        """Clear what was not, unless that took much of the time lately."""
        async with self._turn:
            if self._dirty and time.monotonic() >= self._not_before:
                await self._rewrite()

    async def _rewrite(self) -> None:
        dirty, self._dirty = self._dirty, set()
        began = time.monotonic()
        done = False
        try:
            done = await self._try(sorted(dirty))
        except StoreError:
            log.warning("files_not_cleared")
        finally:
            self.has_failed = not done
            if not done:
                self._dirty |= dirty
            now = time.monotonic()
            self._not_before = now + (now - began) / SHARE

    async def _try(self, tables: Sequence[str]) -> bool:
        if await self._files.rewrite(tables):
            return True
        for _ in range(TRIES):
            await asyncio.sleep(AGAIN_S)
            if await self._files.cut():
                return True
        return False
