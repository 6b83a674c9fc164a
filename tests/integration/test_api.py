"""The HTTP API on a real socket, with rooms that have no calls."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from livebot.api import ops
from livebot.api.server import MAX_BODY_BYTES, make_app, serve
from livebot.errors import ConfigError
from livebot.metrics import Metrics
from livebot.rooms.status import HealthStatus
from livebot.settings import Settings, load_settings
from tests.support.fake_rooms import FakeRooms

CALLS = "/api/v1/call/transcribe"
TOKEN = "abcd1234efgh"


@pytest.fixture
def rooms() -> FakeRooms:
    """Return rooms without calls."""
    return FakeRooms()


@pytest.fixture
def at_home() -> Settings:
    """Return the settings of a service without keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=(), language="en")


@pytest.fixture
def keyed() -> Settings:
    """Return the settings of a service with a key."""
    return load_settings(host="127.0.0.1", api_keys="ops:0123456789abcdef")


@pytest.fixture
async def client(rooms: FakeRooms, at_home: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve the API and return who calls it."""
    app = make_app(rooms, at_home, Metrics())
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def test_start_twice_list_stop_twice(
    client: aiohttp.ClientSession, rooms: FakeRooms
) -> None:
    """One room's life over HTTP. Spec: room-control/Start a room, room-control/Stop a room."""
    body = {"roomToken": TOKEN, "languageId": "en", "turnServers": [{"urls": "turn:t:3478"}]}

    async with client.post(CALLS, json=body) as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"status": "started", "roomToken": TOKEN, "message": "Transcription started"},
        )
    async with client.post(CALLS, json=body) as answer:
        assert answer.status == 200
        assert (await answer.json())["status"] == "already running"
    ((language, servers),) = rooms.enabled.values()
    assert (language, servers[0].urls) == ("en", ("turn:t:3478",))

    async with client.delete(f"{CALLS}/{TOKEN}") as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"status": "stopped", "roomToken": TOKEN},
        )
    async with client.delete(f"{CALLS}/{TOKEN}") as answer:
        assert (answer.status, await answer.json()) == (
            404,
            {"error": "this room is not being transcribed"},
        )


async def test_list(client: aiohttp.ClientSession) -> None:
    """The rooms, their speakers and last errors are told. Spec: room-control/List rooms."""
    await client.post(CALLS, json={"roomToken": TOKEN})

    async with client.get(CALLS) as answer:
        (room,) = (await answer.json())["rooms"]

    (speaker,) = room.pop("speakers")
    assert room == {
        "roomToken": TOKEN,
        "languageId": "en",
        "state": "joined",
        "since": "1970-01-01T00:00:00.000+00:00",
        "lastError": "was lost once",
        "gaps": [
            {
                "at": "1970-01-01T00:01:00.000+00:00",
                "cause": "media",
                "seconds": 12.0,
                "lostSeconds": 12.0,
            }
        ],
    }
    assert speaker == {
        "sessionId": "session-1",
        "name": "Alice",
        "media": "connected",
        "stream": "open",
        "audioSeconds": 1.235,
        "droppedSeconds": 0.0,
        "captions": 2,
        "lastError": None,
    }


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"json": {"roomToken": "a/b"}}, 400, "roomToken"),
        ({"json": {"roomToken": TOKEN, "languageId": "xx"}}, 400, "xx"),
        ({"json": {"roomToken": TOKEN, "turnServers": "turn:t"}}, 400, "turnServers"),
        ({"json": [TOKEN]}, 400, "object"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "JSON"),
        ({"data": b"", "headers": {"Content-Type": "application/json"}}, 400, "JSON"),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 400, "Content-Type"),
        ({"data": {"roomToken": TOKEN}}, 400, "Content-Type"),
        ({"json": {"roomToken": TOKEN, "languageId": False}}, 400, "languageId"),
        (
            {"json": {"roomToken": TOKEN}, "headers": {"Content-Encoding": "gzip"}},
            400,
            "compressed",
        ),
        ({"json": {"roomToken": TOKEN, "x": "x" * MAX_BODY_BYTES}}, 413, "Large"),
    ],
)
async def test_bad_bodies(
    client: aiohttp.ClientSession,
    rooms: FakeRooms,
    sent: dict[str, Any],
    status: int,
    said: str,
) -> None:
    """What is wrong is said, and nothing is started. Spec: room-control/Bad requests."""
    async with client.post(CALLS, **sent) as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]
    assert not rooms.enabled


async def test_full_service(client: aiohttp.ClientSession, rooms: FakeRooms) -> None:
    """Beyond the limit callers are told to come back later.

    Spec: room-control/Limits, observability/Readiness.
    """
    rooms.limit = 1
    await client.post(CALLS, json={"roomToken": TOKEN})

    async with client.post(CALLS, json={"roomToken": "another1"}) as answer:
        assert answer.status == 503
        assert "Retry-After" in answer.headers
    async with client.get("/readyz") as answer:
        assert answer.status == 503
        assert await answer.json() == {"ready": False, "reasons": ["full, says the test"]}
    async with client.get("/metrics") as answer:
        assert "transcription_can_accept 0.0" in await answer.text()
    rooms.limit = 2
    async with client.get("/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": []})
    async with client.get("/metrics") as answer:
        assert "transcription_can_accept 1.0" in await answer.text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("PUT", CALLS, 405), ("DELETE", f"{CALLS}/a b", 400)],
)
async def test_wrong_paths_are_json_too(
    client: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    """A program that calls the wrong way can read why."""
    async with client.request(method, path) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_languages(client: aiohttp.ClientSession) -> None:
    """The languages come as Talk wants them. Spec: room-control/Languages."""
    async with client.get("/api/v1/languages") as answer:
        found = await answer.json()

    assert found["ja"] == {"name": "Japanese", "metadata": {"separator": "", "rtl": False}}
    assert found["ar"]["metadata"] == {"separator": " ", "rtl": True}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (HealthStatus.HEALTHY, 200),
        (HealthStatus.DEGRADED, 200),
        (HealthStatus.UNHEALTHY, 503),
    ],
)
async def test_health(
    client: aiohttp.ClientSession, rooms: FakeRooms, state: HealthStatus, status: int
) -> None:
    """Only a service that is beyond help fails the check. Spec: observability/Health."""
    rooms.state = state

    async with client.get("/healthz") as answer:
        found = await answer.json()

    assert (answer.status, found["status"]) == (status, state.value)
    assert 1 < found["memory_mb"] < 100_000
    assert datetime.fromisoformat(found["timestamp"]).tzinfo is not None
    assert set(found) == {"status", "reasons", "rooms", "speakers", "memory_mb", "timestamp"}


async def test_health_while_all_threads_are_busy(client: aiohttp.ClientSession) -> None:
    """Slow name look-ups hold every thread, and health is answered all the same.

    Spec: observability/Health.
    """
    release = threading.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(asyncio.to_thread(release.wait, 10))
        try:
            async with (
                asyncio.timeout(ops.MEMORY_WAIT_S + 1),
                client.get("/healthz") as answer,
            ):
                assert (await answer.json())["memory_mb"] > 1
        finally:
            release.set()


async def test_metrics(client: aiohttp.ClientSession) -> None:
    """Prometheus can read them. Spec: observability/Metrics."""
    async with client.get("/metrics") as answer:
        text = await answer.text()

    assert answer.content_type == "text/plain"
    assert "transcription_rooms_active 0.0" in text
    assert "process_resident_memory_bytes" in text


async def test_tokens_stay_out_of_the_log(client: aiohttp.ClientSession) -> None:
    """A room is logged by its first characters only. Spec: observability/Privacy."""
    with capture_logs() as logged:
        await client.post(CALLS, json={"roomToken": TOKEN})
        await client.delete(f"{CALLS}/{TOKEN}")
        await client.delete(f"{CALLS}/{TOKEN}")

    assert [line["event"] for line in logged] == ["room_enabled", "room_disabled"]
    assert TOKEN not in str(logged)


async def test_bug_is_not_told(client: aiohttp.ClientSession, rooms: FakeRooms) -> None:
    """The service survives its own bug, and keeps the details for itself."""
    rooms.fault = RuntimeError("hunter2")

    with capture_logs() as logged:
        async with client.post(CALLS, json={"roomToken": TOKEN}) as answer:
            assert (answer.status, await answer.json()) == (500, {"error": "internal error"})
    assert [line["event"] for line in logged] == ["request_failed"]

    async with client.get("/readyz") as answer:
        assert answer.status == 200


async def test_slow_body_is_given_up(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who announces a body and never sends it does not hold the service."""
    monkeypatch.setattr("livebot.api.calls.BODY_TIMEOUT_S", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    headers = {"Content-Type": "application/json"}
    async with client.post(CALLS, data=never(), headers=headers) as answer:
        assert answer.status == 408


async def test_what_strangers_send_is_not_logged(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """A malformed header may hold a key; aiohttp would quote it. Spec: observability/Privacy."""
    port = URL(str(client._base_url)).port
    for request in (
        b"GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\0\r\n\r\n",
        b"hunter2\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        assert b" 400 " in await reader.readline()
        await reader.read()
        writer.close()
        await writer.wait_closed()

    assert "hunter2" not in caplog.text


async def test_idle_connections_are_closed(
    rooms: FakeRooms, at_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends half a request, byte by byte or not at all, is not waited for."""
    monkeypatch.setattr("livebot.api.server.IDLE_S", 0.3)
    async with serve(make_app(rooms, at_home, Metrics()), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nA:")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_too_many_connections_are_closed(
    rooms: FakeRooms, at_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They do not take the descriptors that calls need; those that are open go on."""
    monkeypatch.setattr("livebot.api.server.MAX_CONNECTIONS", 2)
    async with serve(make_app(rooms, at_home, Metrics()), "127.0.0.1", 0) as port:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with asyncio.timeout(5):
            assert await pairs[2][0].read() == b""
            pairs[0][1].write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in await pairs[0][0].readline()
        for _, writer in pairs:
            writer.close()
            await writer.wait_closed()


async def test_address_in_use(rooms: FakeRooms, at_home: Settings) -> None:
    """A port that is taken is told with its cure."""
    app = make_app(rooms, at_home, Metrics())
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="PORT"),
    ):
        async with serve(app, "127.0.0.1", taken.getsockname()[1]):
            pass


async def test_host_that_cannot_be(rooms: FakeRooms, at_home: Settings) -> None:
    """So is a name that no resolver takes."""
    app = make_app(rooms, at_home, Metrics())
    with pytest.raises(ConfigError, match="HOST"):
        async with serve(app, "a..b", 0):
            pass


async def test_key_is_asked_for(rooms: FakeRooms, keyed: Settings) -> None:
    """With keys, calls need one and health does not. Spec: room-control/Keys."""
    app = make_app(rooms, keyed, Metrics())
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        async with client.get(CALLS) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert "key" in (await answer.json())["error"]
        key = {"Authorization": "Bearer 0123456789abcdef"}
        async with client.get(CALLS, headers=key) as answer:
            assert answer.status == 200
        async with client.get("/healthz") as answer:
            assert answer.status == 200
