"""The journal: never waits for, never out of order, never without a bound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from livebot.errors import StoreError
from livebot.feeds.events import Notice, Numbered
from livebot.metrics import Metrics
from livebot.store import Store, journal
from livebot.store.database import Database
from livebot.store.journal import Journal
from livebot.store.unbroken import Works
from tests.support import kept


class StuckDatabase:
    """A database that stands still until it is told to go on, which is to fail."""

    def __init__(self) -> None:
        self.works = Works()
        self.fail = asyncio.Event()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        """Stand still, then fail."""
        await self.fail.wait()
        if self.fail.is_set():
            raise StoreError("it failed")
        yield


@asynccontextmanager
async def running(database: StuckDatabase) -> AsyncIterator[Journal]:
    """Run a journal."""
    one = Journal(cast("Database", database), Metrics())
    async with asyncio.TaskGroup() as group:
        group.create_task(one.run())
        yield one
        one.stop()
    database.fail.set()
    await database.works.end()


def put(one: Journal, seq: int, told: list[tuple[str, int]], session: str = "s") -> None:
    """Put an event; `told` gets its session and number."""

    def done(number: int) -> None:
        told.append((session, number))

    one.put(session, Numbered(seq, 0.0, Notice("", "")), done)


@pytest.mark.virtual_time
async def test_a_database_that_stands_still_holds_captions_up_for_seconds_only() -> None:
    """After a deadline, events go out in order, and those that follow go out at once."""
    told: list[tuple[str, int]] = []
    database = StuckDatabase()
    async with running(database) as one:
        for seq in range(1, 6):
            put(one, seq, told)
        await asyncio.sleep(journal.DEADLINE_S - 0.1)
        assert not told
        await asyncio.sleep(0.2)
        assert told == [("s", seq) for seq in range(1, 6)]
        put(one, 6, told)
        assert told[-1] == ("s", 6)
        assert one.is_failing
        assert one.lost == 0
        database.fail.set()
        await one.flushed()
        assert one.lost == 6
        assert len(told) == 6


@pytest.mark.virtual_time
async def test_a_flood_takes_no_more_memory_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, what waits is lost; all is told once and in order."""
    monkeypatch.setattr(journal, "MOST_WAITING", 10)
    told: list[tuple[str, int]] = []
    database = StuckDatabase()
    async with running(database) as one:
        put(one, 1, told)
        await asyncio.sleep(0.1)
        for seq in range(2, 31):
            put(one, seq, told, session="s" if seq % 2 else "r")
            assert len(one._waiting) <= 10
        database.fail.set()
        await one.flushed()
        assert [seq for _, seq in told] == list(range(1, 31))
        assert one.lost == 30


@pytest.mark.virtual_time
async def test_stopping_takes_no_longer_than_one_deadline() -> None:
    """However much waits when the service ends."""
    told: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()
    async with running(StuckDatabase()) as one:
        for seq in range(1, 3 * journal.AT_ONCE):
            put(one, seq, told)
        began = loop.time()
    assert loop.time() - began < journal.DEADLINE_S + 0.1
    assert told[-1] == ("s", 3 * journal.AT_ONCE - 1)


async def test_what_came_while_the_database_stood_still_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers had it before; a crash afterwards loses nothing of it.

    Spec: store/Live sessions.
    """
    monkeypatch.setattr(journal, "DEADLINE_S", 0.05)
    record = kept.live()
    await store.live.open(record)
    told: list[tuple[str, int]] = []
    go_on = asyncio.Event()
    keep = store._journal._keep

    async def slowly(batch: Any) -> None:
        await go_on.wait()
        await keep(batch)

    monkeypatch.setattr(store._journal, "_keep", slowly)
    for seq in range(1, 4):
        put(store._journal, seq, told, session=record.id)
        await asyncio.sleep(0.1)
    assert [seq for _, seq in told] == [1, 2, 3]
    assert store.troubles()
    go_on.set()
    await store._journal.flushed()
    assert [one.seq for one in await store.live.events(record.id)] == [1, 2, 3]
    assert not store.troubles()
    assert store._journal.lost == 0
