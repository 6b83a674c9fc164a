"""A database of any version becomes one of the newest, with all that is in it."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection

from livebot.errors import StoreError
from livebot.metrics import Metrics
from livebot.store import Store, migrating
from livebot.store.opening import address, blocking
from livebot.store.records import EVERYTHING
from livebot.store.tables import METADATA
from tests.support import kept

_HEAD: dict[str, Any] = {
    "id": "t1",
    "kind": "live",
    "owner": "ops",
    "backend": "",
    "room": "",
    "title": "ÄRGER im Büro",
    "language": "de",
    "model": "",
    "started_at": 1.0,
    "duration": 2.0,
    "audio": False,
}
_SAID: dict[str, Any] = {
    "transcript": "t1",
    "start": 0.0,
    "end": 1.0,
    "speaker": "Anna",
    "person": "users/anna",
    "language": "",
    "words": '[{"text":"STRASSE"}]',
}


def _where(url: str, folder: Path) -> URL:
    return blocking(address(url, folder))


def _do(url: URL, work: Any) -> Any:
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def test_the_first_version_is_brought_forward_with_all_it_has(
    url: str, tmp_path: Path
) -> None:
    """Whoever began with the first tables finds all of it afterwards, by any case, too.

    Spec: store/Migrations.
    """
    where = _where(url, tmp_path)
    rows = [{**_SAID, "text": f"STRASSE {number}"} for number in range(1201)]

    def fill(connection: Connection) -> None:
        tables = sa.MetaData()
        tables.reflect(connection)
        assert "folded" not in tables.tables["utterances"].c
        connection.execute(tables.tables["transcripts"].insert(), _HEAD)
        connection.execute(tables.tables["utterances"].insert(), rows)

    await asyncio.to_thread(migrating.migrate, where, "0001")
    await asyncio.to_thread(_do, where, fill)
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        whole = await store.transcripts.get("t1", EVERYTHING)
        assert [one.text for one in whole.utterances] == [row["text"] for row in rows]
        for query in ("ärger", "straße 1200"):
            found = await store.transcripts.find(EVERYTHING, query=query)
            assert [head.id for head in found.items] == ["t1"]


async def test_migrations_lead_to_the_tables(url: str, tmp_path: Path) -> None:
    """What the migrations make and what the code expects are the same.

    Spec: store/Migrations.
    """
    where = _where(url, tmp_path)

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "livebot_version"}
        )
        return list(compare_metadata(context, METADATA))

    await asyncio.to_thread(migrating.migrate, where)
    assert await asyncio.to_thread(_do, where, compare) == []


async def test_many_may_begin_at_once(url: str, tmp_path: Path) -> None:
    """Services that start together on an empty database do not collide.

    Spec: store/Migrations.
    """
    where = _where(url, tmp_path)
    await asyncio.gather(*(asyncio.to_thread(migrating.migrate, where) for _ in range(4)))
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        await store.jobs.add(kept.job())


async def test_a_newer_database_is_left_alone(url: str, tmp_path: Path) -> None:
    """An old version refuses what it does not know, and changes nothing.

    Spec: store/Migrations.
    """
    where = _where(url, tmp_path)
    await asyncio.to_thread(migrating.migrate, where)
    change = sa.text("UPDATE livebot_version SET version_num = '9999'")
    await asyncio.to_thread(_do, where, lambda connection: connection.execute(change))
    with pytest.raises(StoreError, match="newer version"):
        async with Store(tmp_path, url=url, metrics=Metrics()):
            pass


async def test_logging_stays_as_it_is(tmp_path: Path) -> None:
    """Alembic likes to set logging up; ours is set up already."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("livebot").disabled)
    await asyncio.to_thread(migrating.migrate, _where("", tmp_path))
    assert (root.level, list(root.handlers), logging.getLogger("livebot").disabled) == before
