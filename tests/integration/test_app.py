"""The whole service in one process: settings in, HTTP and signaling out.

Spec: observability/Health, room-control/Shutdown
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from livebot.app import App
from livebot.errors import ConfigError
from livebot.settings import load_settings
from livebot.stt import registry
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import ScriptedServer, scripted_server


@pytest.fixture(autouse=True)
def _scripted_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda _name, _options: ScriptedEngine())


@asynccontextmanager
async def service(server: ScriptedServer) -> AsyncIterator[tuple[App, aiohttp.ClientSession]]:
    """Run the service against a server and open a client to its API."""
    given: dict[str, Any] = {"hpb_url": server.url, "internal_secret": "s", "port": 0}
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


async def test_missing_settings_are_named_before_anything_starts() -> None:
    """No socket, no engine: only the list of what is missing."""
    settings = await asyncio.to_thread(load_settings)
    with pytest.raises(ConfigError, match="LT_HPB_URL"):
        async with App(settings):
            pass
