"""No trace of what was erased in the database's files.

SQLite overwrites what it deletes, but where it had moved rows from page to page before, copies
are left in the unused parts of pages. Only writing the whole file anew is certain. That takes a
second for some hundred megabytes and stops writers meanwhile, so those who erase at the same time
share it, and what expires waits for its turn.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from livebot import logs
from livebot.errors import StoreError

log = logs.get("store")

TRIES = 5
AGAIN_S = 0.2
"""Between two tries, where another process reads what would be cut off."""

SHARE = 0.02
"""Of the time, at most, for what has expired."""


class Scrubber:
    """Clears the files after something was erased.

    Args:
        clear: Clears what was in some tables; says whether nobody was in the way.
    """

    def __init__(self, clear: Callable[[Sequence[str]], Awaitable[bool]]) -> None:
        self._clear = clear
        self._dirty: set[str] = set()
        self._turn = asyncio.Lock()
        self._not_before = 0.0

    @property
    def is_due(self) -> bool:
        """Whether something that was erased may still be in the files."""
        return bool(self._dirty)

    def soil(self, tables: Iterable[str]) -> None:
        """Note that something was erased."""
        self._dirty |= set(tables)

    async def scrub(self, tables: Iterable[str]) -> None:
        """Clear what was just erased from tables; where that fails, it is tried again later."""
        self.soil(tables)
        async with self._turn:
            # Whoever had the turn before cleared ours, too, if we erased before it began.
            if self._dirty:
                await self._once()

    async def catch_up(self) -> None:
        """Clear what was not, unless that took much of the time lately."""
        if self._dirty and time.monotonic() >= self._not_before:
            async with self._turn:
                await self._once()

    async def _once(self) -> None:
        dirty, self._dirty = self._dirty, set()
        began = time.monotonic()
        done = False
        try:
            done = await self._try(sorted(dirty))
        except StoreError:
            log.warning("files_not_cleared")
        finally:
            if not done:
                self._dirty |= dirty
            now = time.monotonic()
            self._not_before = now + (now - began) / SHARE

    async def _try(self, tables: Sequence[str]) -> bool:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(AGAIN_S)
            if await self._clear(tables):
                return True
        return False
