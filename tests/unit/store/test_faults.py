"""A database that does not work: the operator is told what to do, and nothing secret."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from livebot.errors import ConfigError, NotFoundError, StoreError
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store import Store
from livebot.store.cursors import Place, pack
from livebot.store.opening import address
from livebot.store.places import data_dir
from livebot.store.records import EVERYTHING, Scope
from tests.support import kept
from tests.support.postgres import Server

SECRET = "geheim-9"


async def _fault(folder: Path, url: str) -> str:
    with pytest.raises(StoreError) as caught:
        async with Store(folder, url=url, metrics=Metrics()):
            pass
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "host.invalid"])
async def test_a_server_that_is_not_there(tmp_path: Path, host: str) -> None:
    """Neither address nor password is in what is told.

    Spec: store/Faults.
    """
    told = await _fault(tmp_path, f"postgres://bot:{SECRET}@{host}/livebot")
    assert "check that it runs" in told
    assert SECRET not in told
    assert "bot:" not in told


async def test_a_database_that_is_not_there(tmp_path: Path, postgres_server: Server) -> None:
    """The server is there and the database is not.

    Spec: store/Faults.
    """
    told = await _fault(tmp_path, postgres_server.url("nowhere"))
    assert "create it" in told


async def test_a_password_that_is_refused(tmp_path: Path, postgres_server: Server) -> None:
    """The server does not know the user.

    Spec: store/Faults.
    """
    where = postgres_server.url("postgres").replace("postgres@", f"nobody-9:{SECRET}@")
    told = await _fault(tmp_path, where)
    assert "LT_DATABASE_URL" in told
    assert SECRET not in told


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """What lies there is not overwritten.

    Spec: store/Faults.
    """
    file = tmp_path / "livebot.db"
    file.write_bytes(b"something else " * 1000)
    assert "another file" in await _fault(tmp_path, "")
    assert file.read_bytes().startswith(b"something else")


async def test_a_full_disk(tmp_path: Path) -> None:
    """What does not fit is refused whole, what is there stays, and there may be more later.

    Spec: store/Faults.
    """
    async with Store(tmp_path, metrics=Metrics()) as store:
        first = kept.transcript("first")
        await store.transcripts.complete(first)
        await _limit(store, 60)
        huge = kept.transcript(*("word " * 2000 for _ in range(50)))
        with pytest.raises(StoreError, match="free some space"):
            await store.transcripts.complete(huge)
        assert store.troubles()
        assert [head.id for head in (await store.transcripts.find(EVERYTHING)).items] == [
            first.head.id
        ]
        await _limit(store, 1_000_000)
        await store.transcripts.complete(huge)
        assert not store.troubles()


async def test_a_database_that_another_program_holds(tmp_path: Path) -> None:
    """Whoever asks is told to try again.

    Spec: store/Faults.
    """
    async with Store(tmp_path, metrics=Metrics()) as store:
        other = sqlite3.connect(tmp_path / "livebot.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            async with store._database._bare({"begin": ""}) as connection:
                await connection.exec_driver_sql("PRAGMA busy_timeout = 10")
            with pytest.raises(StoreError, match="try again"):
                await store.jobs.add(kept.job())
        finally:
            other.close()
        await store.jobs.add(kept.job())


async def test_a_server_that_goes_and_comes(tmp_path: Path, postgres_server: Server) -> None:
    """Connections that were cut are replaced.

    Spec: store/Faults.
    """
    with postgres_server.database() as url:
        async with Store(tmp_path, url=url, metrics=Metrics()) as store:
            await store.jobs.add(kept.job())
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'"
            postgres_server.run("psql", "-c", cut, "postgres")
            await store.jobs.add(kept.job())
            assert len(await store.jobs.list(EVERYTHING)) == 2


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql+psycopg"),
        ("sqlite:////srv/livebot.db", "sqlite+aiosqlite"),
        ("", "sqlite+aiosqlite"),
    ],
)
def test_addresses_are_taken_as_people_write_them(text: str, driver: str) -> None:
    """Whatever the tool, PostgreSQL's address is the same."""
    assert address(text, Path("/data")).drivername == driver


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense:"])
def test_other_addresses_are_refused(text: str) -> None:
    """A database that would be gone with the process, or that we do not know, is none."""
    with pytest.raises(ConfigError, match="LT_DATABASE_URL"):
        address(text, Path("/data"))


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "x" * 300, "' OR 1=1 --", "%"])
async def test_odd_names_are_nobodys(store: Store, odd: str) -> None:
    """Whatever a path or a query names, it is just not there.

    Spec: store/Scope.
    """
    await store.transcripts.complete(kept.transcript("word", owner="ops"))
    await store.jobs.add(kept.job())
    for look in (
        store.jobs.get,
        store.jobs.cancel,
        store.jobs.erase,
        store.transcripts.get,
        store.transcripts.erase,
        store.shares.withdraw,
    ):
        with pytest.raises(NotFoundError):
            await look(odd, EVERYTHING)
    assert await store.live.get(odd) is None
    assert not await store.live.events(odd)
    assert not await store.jobs.list(EVERYTHING, state=odd)
    assert not await store.audio.of(odd)
    assert await store.transcripts.erase_person(odd, EVERYTHING) == 0
    assert await store.transcripts.erase_room(odd, EVERYTHING) == 0
    for name in ("kind", "person", "room"):
        wanted: dict[str, str] = {name: odd}
        found = await store.transcripts.find(EVERYTHING, **wanted)  # type: ignore[arg-type]
        assert len(found.items) <= (odd == "\0")
    await store.transcripts.find(
        EVERYTHING, query=odd, cursor=pack(Place(1e308, odd.replace("\ud800", "\0")))
    )
    await store.live.forget(odd)
    await store.live.close(odd)
    assert len(await store.jobs.list(Scope(owner="ops"))) == 1
    assert not await store.jobs.list(Scope(owner=odd))


async def test_what_is_kept_is_private(tmp_path: Path) -> None:
    """Other users of the machine may look into nothing.

    Spec: store/Private files.
    """
    mask = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        async with Store(folder, metrics=Metrics()) as store:
            await store.jobs.add(kept.job())
            for path in (folder, *folder.rglob("*")):
                assert path.stat().st_mode & 0o077 == 0, path.name
    finally:
        os.umask(mask)


def test_the_folder_is_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LT_DATA_DIR before LT_STATE_DIR before the user's own folder for data."""
    data, state = tmp_path / "data", tmp_path / "state"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert data_dir(Settings(LT_DATA_DIR=data, LT_STATE_DIR=state)) == (data, True)
    assert data_dir(Settings(LT_STATE_DIR=state)) == (state, True)
    assert data_dir(Settings()) == (tmp_path / "home" / "livebot", False)
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_dir(Settings()) == (tmp_path / ".local" / "share" / "livebot", False)


async def test_a_folder_that_vanishes_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    """Where the disk is taken away, askers are told."""
    folder = tmp_path / "data"
    async with Store(folder, metrics=Metrics()) as store:
        await store.jobs.add(kept.job())
        shutil.rmtree(folder)
        async with Store(folder, metrics=Metrics()) as again:
            await again.jobs.add(kept.job())


async def _limit(store: Store, pages: int) -> None:
    """Let the database's file have at most some pages, on each of its connections."""
    async with store._database._bare({"begin": ""}) as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
