"""How the process ends and what the next one knows, with real signals.

Spec: room-control/Drain, room-control/Restart
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.server import ServerConnection, serve

from livebot.rooms.state import FILE, SET_ASIDE
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.waiting import until

CALLS = "/api/v1/call/transcribe"

# An engine that connects to nobody before somebody speaks.
ENVIRONMENT = {
    "LT_INTERNAL_SECRET": "hunter2",
    "LT_ENGINE": "moshi",
    "STT_STREAM_URL": "ws://127.0.0.1:1",
    "PORT": "0",
    # The machine that tests is busy with other things.
    "LT_MAX_LAG_MS": "10000",
}

SLOW_START = """
import asyncio, contextlib, time
from livebot import app
from livebot.settings import load_settings
from livebot.stt import registry

@contextlib.asynccontextmanager
async def engine():
    print("loading", flush=True)
    try:
        await asyncio.sleep(60)
        yield
    finally:
        print("unloaded", flush=True)

def load(name, options):
    if WHERE == "thread":
        print("loading", flush=True)
        time.sleep(1)
    return engine()

registry.load = load
raise SystemExit(app.run(load_settings(for_call=True)))
"""


@dataclass(slots=True)
class Bot:
    """A running `livebot serve`."""

    process: Process
    port: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def request(self, method: str, path: str, **given: Any) -> tuple[int, Any, Any]:
        """Send a request; return status, body and headers."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, **given) as answer,
        ):
            return answer.status, await answer.json(), answer.headers

    async def start(self, token: str, **more: Any) -> None:
        """Start a room."""
        status, _, _ = await self.request("POST", CALLS, json={"roomToken": token, **more})
        assert status == 200

    async def over(self, deadline_s: float = 15.0) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was written to stderr."""
        async with asyncio.timeout(deadline_s):
            out, err = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode or 0, err.decode()


@asynccontextmanager
async def program(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Bot]:
    """Run Python in a folder, with these settings only."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env=kept | ENVIRONMENT | settings,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield Bot(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def livebot(folder: Path, hpb: str, **settings: str) -> AsyncIterator[Bot]:
    """Run `livebot serve` until it says that it has started."""
    async with program(folder, "-m", "livebot", "serve", LT_HPB_URL=hpb, **settings) as bot:
        assert bot.process.stdout is not None
        async with asyncio.timeout(30):
            while line := await bot.process.stdout.readline():
                bot.lines.append(json.loads(line))
                if bot.lines[-1]["message"] == "started":
                    break
        bot.port = bot.lines[-1]["port"]
        yield bot


class Stubborn(ScriptedServer):
    """Never says bye, so that leaving takes its time."""

    def _answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        return None if message["type"] == "bye" else super()._answer(message)

    async def handle(self, ws: ServerConnection) -> None:
        """Stay connected after a bye."""
        await super().handle(ws)
        await ws.wait_closed()


@asynccontextmanager
async def stubborn_server() -> AsyncIterator[ScriptedServer]:
    """Serve one."""
    server = Stubborn()
    async with serve(server.handle, "127.0.0.1", 0, close_timeout=0.5) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server


async def test_from_the_first_signal_on_nothing_new_is_taken(tmp_path: Path) -> None:
    """While rooms are left, callers and balancers learn why; it ends with 0 and no noise."""
    async with stubborn_server() as server, livebot(tmp_path, server.url) as bot:
        await bot.start("room1")
        await server.wait_for("room")
        bot.process.send_signal(signal.SIGTERM)
        await server.wait_for("bye")

        status, body, _ = await bot.request("GET", "/readyz")
        assert (status, body) == (503, {"ready": False, "reasons": ["about to stop"]})
        status, body, headers = await bot.request("POST", CALLS, json={"roomToken": "room2"})
        assert (status, int(headers["Retry-After"]) > 0) == (503, True)
        assert "about to stop" in body["error"]
        assert await bot.over() == (0, "")

    assert [line["message"] for line in bot.lines[-2:]] == ["room_left", "stopped"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGTERM, signal.SIGTERM, 143), (signal.SIGTERM, signal.SIGINT, 130)],
)
async def test_the_second_signal_ends_it_at_once(
    tmp_path: Path, first: signal.Signals, second: signal.Signals, code: int
) -> None:
    """Who has no patience does not get it tried, nor a traceback."""
    async with stubborn_server() as server, livebot(tmp_path, server.url) as bot:
        await bot.start("room1")
        await server.wait_for("room")
        bot.process.send_signal(first)
        await server.wait_for("bye")

        bot.process.send_signal(second)

        assert await bot.over(deadline_s=2.0) == (code, "")


@pytest.mark.parametrize("where", ["thread", "loop"])
async def test_a_signal_while_the_engine_loads(tmp_path: Path, where: str) -> None:
    """The start is broken off, in whatever step it is, and what was begun is undone."""
    code = f"WHERE = {where!r}\n{SLOW_START}"
    async with program(tmp_path, "-c", code, LT_HPB_URL="ws://127.0.0.1:1") as bot:
        assert bot.process.stdout is not None
        async with asyncio.timeout(30):
            await bot.process.stdout.readuntil(b"loading\n")
        bot.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            out, err = await bot.process.communicate()

    assert (bot.process.returncode, err) == (0, b"")
    *others, last = out.decode().splitlines()
    assert others == (["unloaded"] if where == "loop" else [])
    assert json.loads(last)["message"] == "stopped"


@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.6])
async def test_a_signal_before_anything_listens_to_it(tmp_path: Path, after_s: float) -> None:
    """While Python imports, the process just ends."""
    async with program(tmp_path, "-m", "livebot", "serve", LT_HPB_URL="ws://h") as bot:
        await asyncio.sleep(after_s)
        bot.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            _, err = await bot.process.communicate()

    assert bot.process.returncode in (0, -signal.SIGTERM)
    assert err == b""


def kept(folder: Path) -> list[str]:
    """Return the rooms in the state file."""
    try:
        return [room["token"] for room in json.loads((folder / FILE).read_bytes())["rooms"]]
    except FileNotFoundError:
        return []


async def test_rooms_come_back_after_a_restart(tmp_path: Path) -> None:
    """After KILL and after TERM those that ran are joined again; those that were stopped not."""
    state = tmp_path / "state"
    turn = [{"urls": ["turn:127.0.0.1:3478"], "username": "u", "credential": "hunter2"}]
    async with scripted_server() as server:
        async with livebot(tmp_path, server.url, LT_STATE_DIR=str(state)) as bot:
            await bot.start("room1", turnServers=turn)
            await bot.start("room2")
            await server.wait_for("room", count=2)
            assert (await bot.request("DELETE", f"{CALLS}/room2"))[0] == 200
            await until(lambda: kept(state) == ["room1"])
            bot.process.kill()
            await bot.over()

        async with livebot(tmp_path, server.url, LT_STATE_DIR=str(state)) as bot:
            joined = await server.wait_for("room", count=3)
            assert joined["room"]["roomid"] == "room1"
            bot.process.terminate()
            assert await bot.over() == (0, "")
            assert kept(state) == ["room1"]

        async with livebot(tmp_path, server.url, LT_STATE_DIR=str(state)) as bot:
            await server.wait_for("room", count=4)
            assert (await bot.request("DELETE", f"{CALLS}/room1"))[0] == 200
            bot.process.terminate()
            assert await bot.over() == (0, "")

    assert kept(state) == []
    assert "hunter2" not in str(bot.lines)


async def test_a_broken_state_file_stops_nobody(tmp_path: Path) -> None:
    """The service runs, says what it lost, and keeps the file to be looked at."""
    (tmp_path / FILE).write_bytes(b"hunter2")
    async with (
        scripted_server() as server,
        livebot(tmp_path, server.url, LT_STATE_DIR=str(tmp_path)) as bot,
    ):
        _, health, _ = await bot.request("GET", "/healthz")
        assert (health["status"], len(health["reasons"])) == ("degraded", 1)
        assert SET_ASIDE in health["reasons"][0]
        await bot.start("room1")
        await server.wait_for("room")
        bot.process.terminate()
        assert await bot.over() == (0, "")

    assert kept(tmp_path) == ["room1"]
    assert (tmp_path / SET_ASIDE).read_bytes() == b"hunter2"
    assert "hunter2" not in str(bot.lines)
