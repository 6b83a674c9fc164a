"""The database: whatever happens to who asks it, it goes on."""

import asyncio
import random
from pathlib import Path

import pytest

from livebot.errors import StoreError
from livebot.metrics import Metrics
from livebot.store import Store
from livebot.store.records import EVERYTHING, JobState
from tests.support import kept


async def test_who_is_canceled_leaves_nothing_behind(store: Store) -> None:
    """Tasks canceled at any moment take neither connections nor locks with them."""
    dice = random.Random(5)

    async def work() -> None:
        job = kept.job()
        await store.jobs.add(job)
        await store.jobs.claim("w", lease_s=60)
        await store.jobs.finish(job.id, "w", JobState.FAILED)
        await store.transcripts.find(EVERYTHING)
        await store.jobs.erase(job.id, EVERYTHING)

    for _ in range(40):
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(dice.random() * 0.03)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(40):
        await work()
    assert not store.troubles()


async def test_a_store_can_be_closed_while_it_is_at_work(url: str, tmp_path: Path) -> None:
    """Its own rounds end with it, wherever they are."""
    dice = random.Random(6)
    for _ in range(5):
        async with Store(tmp_path, url=url, metrics=Metrics()) as store:
            await store.transcripts.begin(kept.head(ended_at=1.0))
            store._keeper._retention_s = 1.0
            round_ = asyncio.create_task(store._keeper.round(1e10, sweep=True))
            await asyncio.sleep(dice.random() * 0.03)
            round_.cancel()
            await asyncio.gather(round_, return_exceptions=True)


async def test_more_ask_than_there_are_connections(store: Store) -> None:
    """They wait for each other, and all are answered."""
    jobs = [kept.job() for _ in range(60)]
    await asyncio.gather(*(store.jobs.add(job) for job in jobs))
    found = await asyncio.gather(*(store.jobs.get(job.id, EVERYTHING) for job in jobs))
    assert found == jobs


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The error says which folder, and which setting names another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LT_DATA_DIR"):
        async with Store(tmp_path / "file" / "data", metrics=Metrics()):
            pass
