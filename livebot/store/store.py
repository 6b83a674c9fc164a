"""The store: opened, kept clean, closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from livebot.metrics import Metrics
from livebot.store.audio import Audio
from livebot.store.database import Database
from livebot.store.jobs import Jobs
from livebot.store.journal import Journal
from livebot.store.keeping import Keeper
from livebot.store.live import Live
from livebot.store.opening import address
from livebot.store.places import make_folder
from livebot.store.shares import Shares
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
        self._database = Database(address(url, folder))
        self._journal = Journal(self._database, metrics)
        self.audio = Audio(self._database, folder / "audio")
        self.transcripts = Transcripts(self._database, self.audio)
        self.jobs = Jobs(self._database, self.audio)
        self.shares = Shares(self._database)
        self.live = Live(self._database, self._journal)
        self._keeper = Keeper(
            self._database,
            transcripts=self.transcripts,
            audio=self.audio,
            jobs=self.jobs,
            shares=self.shares,
            live=self.live,
            retention_s=retention_s,
            resume_s=resume_s,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            StoreError: The folder cannot be written, or the database not be opened.
        """
        for folder in (self.folder, self.uploads, self.audio.folder):
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
        found = []
        if self._database.fault:
            found.append(self._database.fault)
        if self._journal.is_failing:
            found.append(
                "what live sessions say is not kept: after a crash their clients would miss some"
            )
        if self._database.scrubber.has_failed:
            found.append(
                "what was erased may still be in the database's files: another program reads them,"
                " or the disk is full; it is tried again"
            )
        return found

    @asynccontextmanager
    async def _tasks(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._journal.run(), name="store-journal")
            keeper = group.create_task(self._keeper.run(), name="store-keeper")
            try:
                yield
            finally:
                keeper.cancel()
                self._journal.stop()
