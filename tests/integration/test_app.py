"""The whole service in one process: settings in, HTTP and signaling out.

Spec: observability/Health, room-control/Drain, room-control/Overload
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from structlog.testing import capture_logs

from livebot.api import server as http_server
from livebot.app import DRAIN_S, App
from livebot.errors import ConfigError
from livebot.ids import RoomToken
from livebot.rooms import room
from livebot.rooms.publication import SENDING_S, TRANSLATING_S
from livebot.rooms.state import StateFile
from livebot.rooms.wanted import WantedRoom
from livebot.settings import load_settings
from livebot.settings.model import DEFAULT_BACKEND
from livebot.stt import registry
from livebot.stt.host import process
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _scripted_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda _name, _options: ScriptedEngine())


@asynccontextmanager
async def service(
    server: ScriptedServer, **more: Any
) -> AsyncIterator[tuple[App, aiohttp.ClientSession]]:
    """Run the service against a server and open a client to its API."""
    given: dict[str, Any] = {
        "hpb_url": server.url,
        "internal_secret": "s",
        "port": 0,
        # The machine that tests is busy with other things.
        "max_lag_ms": 10_000,
        **more,
    }
    settings = await asyncio.to_thread(lambda: load_settings(**given))
    async with (
        App(settings) as app,
        aiohttp.ClientSession(f"http://127.0.0.1:{app.port}") as http,
    ):
        yield app, http


async def test_start_look_and_stop_over_http() -> None:
    """The seed's requests, answered as promised, while a bot really joins and leaves."""
    async with scripted_server() as server, service(server) as (_, http):
        body = {"roomToken": "abcd1234", "languageId": "en", "turnServers": []}
        answers = []
        for _ in range(2):
            async with http.post("/api/v1/call/transcribe", json=body) as answer:
                assert answer.status == 200
                answers.append((await answer.json())["status"])
        await server.wait_for("room")
        async with http.get("/healthz") as answer:
            health = await answer.json()
        async with http.delete("/api/v1/call/transcribe/abcd1234") as answer:
            assert answer.status == 200
        await server.wait_for("bye")
        async with http.delete("/api/v1/call/transcribe/abcd1234") as answer:
            assert answer.status == 404

    assert answers == ["started", "already running"]
    assert (health["status"], health["rooms"]) == ("healthy", 1)


async def test_stopping_says_bye_to_every_room() -> None:
    """Leaving the service leaves the rooms; nothing of it remains."""
    async with scripted_server() as server:
        async with service(server) as (_, http):
            for token in ("room1", "room2"):
                async with http.post(
                    "/api/v1/call/transcribe", json={"roomToken": token}
                ) as answer:
                    assert answer.status == 200
            await server.wait_for("room", count=2)

        assert len(server.of("bye")) == 2


async def ready(http: aiohttp.ClientSession) -> list[str]:
    """Return why no room is taken; nothing where one is."""
    async with http.get("/readyz") as answer:
        body: dict[str, Any] = await answer.json()
        assert (answer.status, body["ready"]) in ((200, True), (503, False))
        return list(body["reasons"])


async def test_a_late_loop_takes_no_more_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the loop is held up nothing new is taken; it is again, some time after."""
    monkeypatch.setattr("livebot.overload.lateness.WINDOW_S", 2.0)
    monkeypatch.setattr("livebot.overload.gate.CALM_S", 0.5)
    monkeypatch.setattr("livebot.overload.watch.LAG_EVERY_S", 0.1)
    async with scripted_server() as server, service(server, max_lag_ms=400) as (app, http):
        await app.rooms[DEFAULT_BACKEND].enable(RoomToken("room1"), "en", ())
        assert await ready(http) == []

        time.sleep(0.6)  # noqa: ASYNC251 - the fault itself
        await until(lambda: app.rooms[DEFAULT_BACKEND].obstacles)

        (reason,) = await ready(http)
        assert reason.startswith("event loop late by ")
        async with http.get("/metrics") as answer:
            assert "transcription_can_accept 0.0" in await answer.text()
        async with http.post("/api/v1/call/transcribe", json={"roomToken": "room2"}) as answer:
            assert (answer.status, "Retry-After" in answer.headers) == (503, True)
            assert "event loop late" in (await answer.json())["error"]
        assert [one.token for one in app.rooms[DEFAULT_BACKEND].rooms()] == ["room1"]
        await until(lambda: not app.rooms[DEFAULT_BACKEND].obstacles)
        assert await ready(http) == []


async def test_too_much_memory_takes_no_more() -> None:
    """A limit that is passed is told with both figures, to balancers and on the health page."""
    async with scripted_server() as server, service(server, max_memory_mb=1) as (app, http):
        await until(lambda: app.rooms[DEFAULT_BACKEND].obstacles)

        (reason,) = await ready(http)
        async with http.get("/healthz") as answer:
            health = await answer.json()

    assert re.fullmatch(r"memory \d+ of 1 MB", reason)
    assert (health["status"], health["reasons"]) == ("degraded", [reason])


async def test_who_cannot_listen_joins_no_calls(tmp_path: Path) -> None:
    """A second process beside the first takes up none of its rooms before it gives up."""
    await asyncio.to_thread(StateFile(tmp_path).save, [WantedRoom(RoomToken("room1"), "en")])
    async with scripted_server() as server, service(server) as (app, _):
        with capture_logs() as logged, pytest.raises(ConfigError, match="in use"):
            async with service(server, port=app.port, state_dir=tmp_path):
                pass

    assert "room_taken_up" not in [line["event"] for line in logged]
    assert server.received == []


def test_the_deadlines_fit_into_each_other() -> None:
    """A room is left before the drain ends, the drain before the container is killed."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    grace_s = int(compose["services"]["livebot"]["stop_grace_period"].removesuffix("s"))

    assert room.LAST_WORDS_S + TRANSLATING_S + SENDING_S + room.BYE_S <= DRAIN_S
    assert grace_s > DRAIN_S + http_server.SHUTDOWN_S + process.STOP_S


async def test_missing_settings_are_named_before_anything_starts() -> None:
    """No socket, no engine: only the list of what is missing."""
    settings = await asyncio.to_thread(load_settings)
    with pytest.raises(ConfigError, match="LT_HPB_URL"):
        async with App(settings):
            pass
