"""`livebot serve --no-calls` as a process: started, killed, started again on the same data."""

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

STARTS_WITHIN_S = 120.0
"""A model is loaded into each worker; on a busy machine that takes a while."""

STOPS_WITHIN_S = 60.0


@dataclass(slots=True)
class Service:
    """A service that may be killed.

    Attributes:
        folder: What it keeps, and its log.
        settings: Variables besides those it needs to run at all.
        port: The port of its API; the same after each start.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _process: Process | None = None

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """What it keeps."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.folder / "service.log"

    async def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            AssertionError: It does not.
        """
        livebot = shutil.which("livebot", path=str(Path(sys.executable).parent)) or "livebot"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LT_")},
            "PORT": str(self.port),
            "LT_DATA_DIR": str(self.data),
            "LT_MAX_LAG_MS": "10000",
            **self.settings,
        }
        at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                livebot,
                "serve",
                "--no-calls",
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not (found := self._started(at)):
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)
        self.port = found

    def kill(self) -> None:
        """Kill it without warning; its workers notice by themselves."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)

    async def gone(self) -> int:
        """Wait for its end; return the exit code."""
        assert self._process is not None
        async with asyncio.timeout(STOPS_WITHIN_S):
            return await self._process.wait()

    async def stop(self) -> int:
        """End it in order; return the exit code."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        return await self.gone()

    def lines(self) -> list[dict[str, Any]]:
        """Return what it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]

    def _started(self, at: int) -> int:
        """Return the port that it said since then; 0 before."""
        with self.log.open(encoding="utf-8") as log:
            log.seek(at)
            for line in log:
                if '"started"' in line and line.endswith("\n"):
                    return int(json.loads(line)["port"])
        return 0


@asynccontextmanager
async def service(folder: Path, **settings: str) -> AsyncIterator[Service]:
    """Run a service; end it with the context, whatever state it is in."""
    found = Service(folder, settings)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


async def ask(http: aiohttp.ClientSession, method: str, url: str, **given: Any) -> tuple[int, Any]:
    """Send a request; return status and body, decoded where it is JSON."""
    async with http.request(method, url, **given) as answer:
        if answer.content_type == "application/json":
            return answer.status, await answer.json()
        return answer.status, await answer.text()
