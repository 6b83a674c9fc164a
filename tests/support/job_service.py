"""A service that does jobs, on a real socket and with a real database."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.jobs.service import Jobs
from livebot.metrics import Metrics
from livebot.recognising import FileHost
from livebot.settings import Bind, Settings, load_settings
from livebot.store import Store
from tests.support.fake_rooms import FakeRooms

WITHIN_S = 60.0
"""How long a job may take on a machine with much else to do."""

KEY = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class JobService:
    """It, and who calls it.

    Attributes:
        client: Has the key `ops`.
        folder: The data folder.
    """

    client: aiohttp.ClientSession
    jobs: Jobs
    store: Store
    settings: Settings
    folder: Path
    port: int

    def left(self) -> list[str]:
        """Return what is in the folder of uploads."""
        return sorted(path.name for path in (self.folder / "uploads").iterdir())

    async def give(self, data: bytes, name: str = "talk.wav", **fields: str) -> str:
        """Give a file; return the job."""
        async with self.client.post("/transcribe", data=form(data, name, **fields)) as answer:
            body = await answer.json()
            assert answer.status == 202, body
            found: str = body["job_id"]
            return found

    async def get(self, path: str, expected: int = 200) -> Any:
        """Return what a path answers."""
        async with self.client.get(path) as answer:
            assert answer.status == expected, await answer.text()
            return await (answer.json() if "json" in answer.content_type else answer.text())

    async def status(self, job: str) -> dict[str, Any]:
        """Return how a job is."""
        found: dict[str, Any] = await self.get(f"/status/{job}")
        return found

    async def until(self, job: str, *states: str) -> dict[str, Any]:
        """Wait for a state; return the status."""
        over = {"completed", "failed", "canceled"}
        async with asyncio.timeout(WITHIN_S):
            while (found := await self.status(job))["status"] not in states:
                assert found["status"] not in over, found
                await asyncio.sleep(0.05)
        return found

    async def done(self, job: str) -> dict[str, Any]:
        """Wait until a job is over; return its status."""
        return await self.until(job, "completed", "failed", "canceled")


def form(data: bytes, name: str = "talk.wav", **fields: str) -> aiohttp.FormData:
    """Return what is sent with a file."""
    # As browsers write names; aiohttp would write them as in addresses.
    found = aiohttp.FormData(quote_fields=False)
    found.add_field(
        "file", io.BytesIO(data), filename=name, content_type="application/octet-stream"
    )
    for key, value in fields.items():
        found.add_field(key, value)
    return found


@asynccontextmanager
async def job_service(
    folder: Path, host: FileHost | None = None, **given: Any
) -> AsyncIterator[JobService]:
    """Run one.

    Args:
        folder: For data.
        host: Who recognises files; None for a real one with the embedded model.
        given: Settings.
    """
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "api_keys": f"ops:{KEY},other:{KEY[::-1]}",
        "data_dir": folder,
    }
    if host is not None:
        values["model"] = "base"  # which knows what the fake host knows, too
    settings = await asyncio.to_thread(lambda: load_settings(**(values | given)))
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        store = await enter(
            Store(
                folder, url=settings.database_url.get_secret_value(), retention_s=None,
                metrics=metrics,
            )
        )  # fmt: skip
        jobs = await enter(Jobs(settings, store=store, metrics=metrics, host=host))
        services = Services(store=store, jobs=jobs)
        app = make_app({"default": FakeRooms()}, settings, metrics, services=services)
        port = await enter(serve(app, Bind("127.0.0.1", 0)))
        client = await enter(
            aiohttp.ClientSession(
                f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"}
            )
        )
        yield JobService(client, jobs, store, settings, folder, port)


async def events_of(client: aiohttp.ClientSession, path: str) -> list[tuple[str, dict[str, Any]]]:
    """Return all server-sent events of a path."""
    found = []
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        async with asyncio.timeout(WITHIN_S):
            text = await answer.text()
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found
