"""Fixtures of stores: each test on SQLite and on a real PostgreSQL."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from livebot.metrics import Metrics
from livebot.store import Store
from tests.support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Run one server for all tests; where there must be one and is none, they fail."""
    try:
        with postgres.running() as server:
            yield server
    except postgres.MissingServerError as exc:
        can_be_had = shutil.which("apt-get") is not None and os.geteuid() == 0
        if can_be_had or os.environ.get("CI"):
            pytest.fail(str(exc))
        pytest.skip(f"NOT RUN on PostgreSQL: {exc}")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of an empty database; an empty one is SQLite in the store's folder."""
    if request.param == "sqlite":
        yield ""
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.database() as address:
            yield address


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """Give an open store."""
    async with Store(tmp_path / "data", url=url, metrics=Metrics()) as opened:
        yield opened
