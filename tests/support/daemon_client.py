"""Programs that drive `livebot daemon`: a naive one, and one that uses all of the protocol."""

import asyncio
import json
import os
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.waiting import until

PROGRAM = (sys.executable, "-m", "livebot", "daemon")

READY_S = 50.0


def environment(**more: str) -> dict[str, str]:
    """Return one with these settings only."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"LT_ENGINE_WORKERS": "1"} | more


class NaiveClient:
    """Knows half a page of the protocol.

    It waits for `ready`, writes a line for each URL, and takes the first line with that URL for
    the answer.

    Args:
        folder: Where the daemon runs.
        settings: Its variables.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=environment(**settings),
        )

    def __enter__(self) -> Self:
        """Wait until it is ready."""
        first = self._read()
        if first["status"] != "ready":
            raise RuntimeError(first["message"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        """Hang up; it must end well."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(20)
        self._process.stdout.close()
        assert code == 0

    def transcribe(self, audio_url: str) -> dict[str, Any]:
        """Return what is said there."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"audio_url": audio_url}) + "\n")
        self._process.stdin.flush()
        while (answer := self._read()).get("audio_url") != audio_url:
            pass
        return answer

    def is_alive(self) -> bool:
        """Ask it."""
        assert self._process.stdin is not None
        self._process.stdin.write('{"audio_url": "ping"}\n')
        self._process.stdin.flush()
        return self._read() == {"status": "pong"}

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@dataclass(slots=True)
class Daemon:
    """A running daemon.

    Attributes:
        lines: What it said, every line of it JSON.
        log: What it wrote to standard error.
    """

    process: Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.process.pid

    async def say(self, *lines: dict[str, Any] | bytes) -> None:
        """Write lines, or bytes as they are."""
        assert self.process.stdin is not None
        for line in lines:
            data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            self.process.stdin.write(data)
        await self.process.stdin.drain()

    def hang_up(self) -> None:
        """Say nothing more."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def about(self, **keys: Any) -> list[dict[str, Any]]:
        """Return the lines with these keys and values."""
        return [line for line in self.lines if keys.items() <= line.items()]

    async def answer(self, name: Any, within_s: float = 30.0) -> dict[str, Any]:
        """Wait for the answer to a request by its id."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.about(id=name) if {"text", "error"} & line.keys()]

        await until(found, within_s)
        (answer,) = found()
        return answer

    async def listen(self) -> None:
        """Read what it says and logs until it ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._read_log())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(json.loads(line))

    async def _read_log(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log.append(line.decode())


@asynccontextmanager
async def daemon(folder: Path, **settings: str) -> AsyncIterator[Daemon]:
    """Run a daemon from its first line on; on leaving it is killed if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env=environment(**settings),
        limit=1 << 24,
    )
    found = Daemon(process)
    listening = asyncio.create_task(found.listen())
    try:
        await until(lambda: found.lines or listening.done(), READY_S)
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def over(running: Daemon, within_s: float = 20.0) -> int:
    """Wait for the end; return the exit code."""
    async with asyncio.timeout(within_s):
        return await running.process.wait()
