"""The store: opened, kept clean, closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from livebot.metrics import Metrics
from livebot.store.database import Database
from livebot.store.jobs import Jobs
from livebot.store.journal import Journal
from livebot.store.live import Live
from livebot.store.opening import address
from livebot.store.places import make_folder
from livebot.store.transcripts import Transcripts


class Store:
    """All that is kept; to be entered, which migrates the database.

    Args:
        folder: Where files go, and the database unless it has an address.
        url: The database's address; empty for SQLite in the folder.
        retention_s: How long transcripts and jobs are kept; None for ever.
        resume_s: How long live sessions are kept after they ended.
        metrics: What is counted.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url: str = "",
        retention_s: float | None = None,
        resume_s: float = 120.0,
        metrics: Metrics,
    ) -> None:
        self.folder = folder
        self.uploads = folder / "uploads"
        self._retention_s = retention_s
        self._resume_s = resume_s
        self._database = Database(address(url, folder))
        self._journal = Journal(self._database, metrics)
        self.transcripts = Transcripts(self._database)
        self.jobs = Jobs(self._database)
        self.live = Live(self._database, self._journal)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            StoreError: The folder cannot be written, or the database not be opened.
        """
        for folder in (self.folder, self.uploads):
            await asyncio.to_thread(make_folder, folder)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._database)
            await stack.enter_async_context(self._tasks())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Write what still waits, and close it."""
        await self._stack.aclose()

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""
        return []

    @asynccontextmanager
    async def _tasks(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._journal.run(), name="store-journal")
            try:
                yield
            finally:
                self._journal.stop()
