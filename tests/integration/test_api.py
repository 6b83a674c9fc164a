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
from livebot.api.backends import Backends
from livebot.api.server import MAX_BODY_BYTES, make_app, serve
from livebot.api.table import all_routes
from livebot.errors import ConfigError
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.rooms.readers import Wish
from livebot.rooms.status import HealthStatus
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_rooms import FakeApp, FakeRooms

CALLS = "/api/v1/call/transcribe"
TOKEN = RoomToken("abcd1234efgh")
ANYWHERE = Bind("127.0.0.1", 0)


@pytest.fixture
def rooms() -> FakeRooms:
    """Return rooms without calls."""
    return FakeRooms()


@pytest.fixture
def at_home() -> Settings:
    """Return the settings of a service without keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=(), turn_hosts="t")


@pytest.fixture
def keyed() -> Settings:
    """Return the settings of a service with a key."""
    return load_settings(host="127.0.0.1", api_keys="ops:0123456789abcdef")


@pytest.fixture
async def client(rooms: FakeRooms, at_home: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve the API and return who calls it."""
    app = make_app({"default": rooms}, at_home, Metrics())
    async with (
        serve(app, ANYWHERE) as port,
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
    room = rooms.enabled[TOKEN]
    assert (room.language, room.servers[0].urls) == ("en", ("turn:t:3478",))
    assert (room.everybody, room.readers) == (True, {})

    async with client.delete(f"{CALLS}/{TOKEN}") as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"status": "stopped", "roomToken": TOKEN, "message": "Transcription stopped"},
        )
    async with client.delete(f"{CALLS}/{TOKEN}") as answer:
        assert (answer.status, await answer.json()) == (
            404,
            {"error": "this room is not being transcribed"},
        )


async def test_list(client: aiohttp.ClientSession) -> None:
    """The rooms, their speakers and last errors are told. Spec: room-control/List rooms."""
    await client.post(CALLS, json={"roomToken": TOKEN, "ncSessionId": "x"})

    async with client.get(CALLS) as answer:
        (room,) = (await answer.json())["rooms"]

    (speaker,) = room.pop("speakers")
    assert room == {
        "roomToken": TOKEN,
        "languageId": "en",
        "state": "joined",
        "since": "1970-01-01T00:00:00.000+00:00",
        "lastError": "was lost once",
        "readers": 1,
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
        (
            {"json": {"roomToken": TOKEN, "turnServers": [{"urls": "turn:evil.example"}]}},
            400,
            "LT_TURN_HOSTS",
        ),
        ({"json": {"roomToken": TOKEN, "ncSessionId": ""}}, 400, "ncSessionId"),
        (
            {
                "json": {
                    "roomToken": TOKEN,
                    "ncSessionId": "x",
                    "turnServers": [{"urls": "stun:t"}],
                }
            },
            400,
            "turnServers",
        ),
        ({"json": {"roomToken": TOKEN, "mode": "append"}}, 400, "ncSessionId"),
        ({"json": {"roomToken": TOKEN, "enable": False}}, 400, "DELETE"),
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
    [
        ("GET", "/no", 404),
        ("PUT", CALLS, 405),
        ("DELETE", f"{CALLS}/a b", 400),
        # No app of Nextcloud's, so it has no such life.
        ("GET", "/enabled", 404),
        ("PUT", "/enabled?enabled=1", 404),
        ("POST", "/init", 404),
    ],
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
            group.create_task(asyncio.to_thread(release.wait, 40))
        try:
            async with (
                asyncio.timeout(ops.MEMORY_WAIT_S + 10),
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
    monkeypatch.setattr("livebot.api.requests.BODY_S", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    headers = {"Content-Type": "application/json"}
    async with client.post(CALLS, data=never(), headers=headers) as answer:
        assert answer.status == 408


async def test_what_strangers_send_is_not_repeated(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """A malformed header may hold a key; aiohttp would quote it in log and answer.

    Spec: observability/Privacy.
    """
    port = URL(str(client._base_url)).port
    for request in (
        b"GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\0\r\n\r\n",
        b"GET /readyz HTTP/1.1\r\nHost: x\r\nExpect: hunter2\xff\r\n\0hunter2: x\r\n\r\n",
        b"hunter2\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        assert b" 400 " in await reader.readline()
        answer = await reader.read()
        assert b'{"error":' in answer
        assert b"hunter2" not in answer
        writer.close()
        await writer.wait_closed()

    assert "hunter2" not in caplog.text


async def test_idle_connections_are_closed(
    rooms: FakeRooms, at_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends half a request, byte by byte or not at all, is not waited for."""
    monkeypatch.setattr("livebot.api.server.IDLE_S", 0.3)
    async with serve(make_app({"default": rooms}, at_home, Metrics()), ANYWHERE) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nA:")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_address_in_use(rooms: FakeRooms, at_home: Settings) -> None:
    """A port that is taken is told with its cure."""
    app = make_app({"default": rooms}, at_home, Metrics())
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="PORT"),
    ):
        async with serve(app, Bind("127.0.0.1", taken.getsockname()[1])):
            pass


async def test_host_that_cannot_be(rooms: FakeRooms, at_home: Settings) -> None:
    """So is a name that no resolver takes."""
    app = make_app({"default": rooms}, at_home, Metrics())
    with pytest.raises(ConfigError, match="HOST"):
        async with serve(app, Bind("a..b", 0)):
            pass


async def test_key_is_asked_for(rooms: FakeRooms, keyed: Settings) -> None:
    """With keys, calls need one and health does not. Spec: access/Callers."""
    app = make_app({"default": rooms}, keyed, Metrics())
    async with (
        serve(app, ANYWHERE) as port,
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


async def test_a_reader_keeps_who_serves_everybody(
    client: aiohttp.ClientSession, rooms: FakeRooms
) -> None:
    """Both may ask for the same room. Spec: talk-app/Readers."""
    for body in ({}, {"ncSessionId": "x", "mode": "replace"}):
        async with client.post(CALLS, json={"roomToken": TOKEN} | body) as answer:
            assert answer.status == 200

    room = rooms.enabled[TOKEN]
    assert room.everybody
    assert room.readers == {TalkSessionId("x"): Wish("replace")}


async def test_languages_are_spelled_in_many_ways(
    client: aiohttp.ClientSession, rooms: FakeRooms
) -> None:
    """Rooms know one spelling only. Spec: room-control/Languages."""
    await client.post(CALLS, json={"roomToken": TOKEN, "languageId": "PT_br"})

    assert rooms.enabled[TOKEN].language == "pt-BR"


async def test_the_caller_owns_the_room(rooms: FakeRooms, keyed: Settings) -> None:
    """Its quota counts it. Spec: room-control/Limits."""
    async with (
        serve(make_app({"default": rooms}, keyed, Metrics()), ANYWHERE) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        key = {"Authorization": "Bearer 0123456789abcdef"}
        await client.post(CALLS, json={"roomToken": TOKEN}, headers=key)

    assert rooms.enabled[TOKEN].owner == "ops"


async def test_a_handler_that_hangs_is_answered_for(
    client: aiohttp.ClientSession, rooms: FakeRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reason: there is an answer in time. Spec: talk-app/In time."""
    monkeypatch.setattr("livebot.api.errors.HANDLER_S", 0.05)
    rooms.delay_s = 60

    async with client.post(CALLS, json={"roomToken": TOKEN}) as answer:
        assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        assert "0.05 s" in (await answer.json())["error"]


async def test_the_document_is_served(client: aiohttp.ClientSession) -> None:
    """It describes what is there. Spec: room-control/OpenAPI."""
    async with client.get("/openapi.json") as answer:
        found = await answer.json()

    assert found["openapi"].startswith("3.1")
    assert CALLS in found["paths"]
    assert "/enabled" not in found["paths"]


@pytest.mark.parametrize("is_app", [False, True])
def test_nothing_is_served_that_is_not_in_the_table(at_home: Settings, is_app: bool) -> None:
    """Nor the other way round; HEAD is GET's. Spec: room-control/OpenAPI."""
    apps, rooms = {"default": FakeApp()} if is_app else {}, {"default": FakeRooms()}
    table = all_routes(Backends(rooms, at_home.per_backend(), apps), Metrics())

    served = make_app(rooms, at_home, Metrics(), apps=apps).router.routes()

    assert {
        (route.method, route.resource.canonical)
        for route in served
        if route.method != "HEAD" and route.resource is not None
    } == {(route.method, route.path) for route in table}


@pytest.fixture
def two() -> Settings:
    """Return the settings of a service with two backends."""
    return load_settings(
        host="127.0.0.1",
        api_keys="ops:0123456789abcdef",
        backends=[
            {"name": "one", "LT_API_KEYS": "alice:aaaaaaaaaaaaaaaa", "LT_TURN_HOSTS": "t"},
            {"name": "two", "NEXTCLOUD_URL": "https://two.example"},
        ],
    )


async def test_backends_are_apart(two: Settings) -> None:
    """A token is of one backend; a backend's key reaches no other.

    Spec: room-control/Backends, room-control/List rooms, observability/Health.
    """
    rooms = {"one": FakeRooms(), "two": FakeRooms()}
    alice = {"Authorization": "Bearer aaaaaaaaaaaaaaaa"}
    ops = {"Authorization": "Bearer 0123456789abcdef"}
    async with (
        serve(make_app(rooms, two, Metrics()), ANYWHERE) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        body = {"roomToken": TOKEN}
        async with client.post(CALLS, json=body, headers=alice) as answer:
            assert answer.status == 200
        async with client.post(f"{CALLS}?backend=two", json=body, headers=alice) as answer:
            assert answer.status == 400
        async with client.post(CALLS, json=body, headers=ops) as answer:
            assert (answer.status, "?backend=" in (await answer.json())["error"]) == (400, True)
        assert (list(rooms["one"].enabled), list(rooms["two"].enabled)) == ([TOKEN], [])
        async with client.post(f"{CALLS}?backend=two", json=body, headers=ops) as answer:
            assert answer.status == 200
        # The hosts that one of them knows are not the other's.
        turn = body | {"turnServers": [{"urls": "turn:t"}]}
        for backend, status in (("one", 200), ("two", 400)):
            url = f"{CALLS}?backend={backend}"
            async with client.post(url, json=turn, headers=ops) as answer:
                assert answer.status == status
        async with client.get(CALLS, headers=ops) as answer:
            found = [room["backend"] for room in (await answer.json())["rooms"]]
            assert found == ["one", "two"]
        async with client.get(CALLS, headers=alice) as answer:
            found = [room["backend"] for room in (await answer.json())["rooms"]]
            assert found == ["one"]


async def test_backends_are_healthy_together(two: Settings) -> None:
    """Sums, and whose reason it is; ready while one of them is.

    Spec: observability/Health, observability/Readiness.
    """
    rooms = {"one": FakeRooms(), "two": FakeRooms(limit=0)}
    rooms["two"].state = HealthStatus.UNHEALTHY
    async with (
        serve(make_app(rooms, two, Metrics()), ANYWHERE) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        async with client.get("/healthz") as answer:
            found = await answer.json()
            assert (answer.status, found["status"], found["speakers"]) == (200, "degraded", 4)
            assert found["reasons"] == ["two: because the test says so"]
        async with client.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (
                200,
                {"ready": True, "reasons": ["two: full, says the test"]},
            )
        rooms["one"].limit = 0
        async with client.get("/readyz") as answer:
            assert answer.status == 503
