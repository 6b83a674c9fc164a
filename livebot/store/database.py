"""One database: transactions to read and to write, and no trace of what was erased."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from livebot.errors import StoreError
from livebot.store import faults, migrating
from livebot.store.opening import arguments, blocking, is_sqlite, prepare
from livebot.store.places import make_file, make_folder
from livebot.store.scrubbing import Scrubber
from livebot.store.unbroken import Works

POOL = 5
"""Connections kept open; as many again for a while."""

WAIT_S = 10.0
"""For a connection of the pool."""


class Database:
    """A database; to be entered, which migrates it.

    Args:
        url: Where.

    Attributes:
        works: Does what is asked of it to the end; nothing else should be asked of it.
        scrubber: To be told of what was erased.
        fault: What the database said last, with its cure; empty while it works.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._is_sqlite = is_sqlite(url)
        self._engine: AsyncEngine | None = None
        self._turn = asyncio.Lock()
        self.works = Works()
        self.scrubber = Scrubber(self)
        self.fault = ""

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            ConfigError: Its driver is not installed.
            StoreError: That does not work.
        """
        self._engine = await asyncio.to_thread(self._made)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it, once all is done that was asked of it."""
        await self.works.end()
        if self._engine is not None:
            await self._engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of ours."""
        return self._is_sqlite

    def insert(self, table: Table) -> Any:
        """Return an insertion that knows what to do where there is such a row already."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Read what is there at one moment.

        Raises:
            StoreError: The database failed.
        """
        options = {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"}
        async with self._begun(options) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Change something, all or nothing.

        In SQLite there is one writer at a time, in PostgreSQL who changes a row locks it.

        Raises:
            StoreError: The database failed.
        """
        async with AsyncExitStack() as stack:
            if self._is_sqlite:
                await stack.enter_async_context(self._turn)
            yield await stack.enter_async_context(self._begun({"begin": "BEGIN IMMEDIATE"}))

    @asynccontextmanager
    async def _begun(self, options: dict[str, str]) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._bare(options) as connection, connection.begin():
                yield connection
        except StoreError as exc:
            self.fault = str(exc)
            raise
        self.fault = ""

    async def rewrite(self, tables: Sequence[str]) -> bool:
        """Leave nothing of rows that were erased from tables in the files.

        Of PostgreSQL's, only as far as the server lets a client.

        Returns:
            False where somebody else still reads what is to go: then `cut()` may do.

        Raises:
            StoreError: The database failed.
        """
        if self._is_sqlite:
            async with self._turn, self._bare({"begin": ""}) as connection:
                # A container may have nowhere else to write.
                folder = str(Path(self._url.database or "").parent).replace("'", "''")
                await connection.exec_driver_sql(f"PRAGMA temp_store_directory = '{folder}'")
                await connection.exec_driver_sql("VACUUM")
            return await self.cut()
        async with self._bare({"isolation_level": "AUTOCOMMIT"}) as connection:
            for table in tables:
                await connection.exec_driver_sql(f"VACUUM {table}")
        return True

    async def cut(self) -> bool:
        """Move what was written into the file itself, and leave nothing beside it.

        Returns:
            False where somebody else reads what is to go.

        Raises:
            StoreError: The database failed.
        """
        if not self._is_sqlite:
            return True
        async with self._turn, self._bare({"begin": ""}) as connection:
            found = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return bool(found.one()[0] == 0)

    @asynccontextmanager
    async def _bare(self, options: dict[str, str]) -> AsyncIterator[AsyncConnection]:
        """Give a connection outside of transactions."""
        if self._engine is None:
            raise RuntimeError("the database is to be entered")
        with faults.told():
            async with self._engine.connect() as connection:
                await connection.execution_options(**options)
                yield connection

    def _made(self) -> AsyncEngine:
        """Make the file, the tables and what connects to them; in a thread."""
        if self._is_sqlite:
            file = Path(self._url.database or "")
            make_folder(file.parent)
            make_file(file)
        migrating.migrate(blocking(self._url))
        engine = create_async_engine(
            self._url,
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=WAIT_S,
            pool_pre_ping=not self._is_sqlite,
            **arguments(self._url),
        )
        prepare(engine.sync_engine)
        return engine
