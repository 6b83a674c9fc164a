"""Every route and every kind of credential, on a real socket.

What is expected follows from the table of routes alone, as `deploy/security.md` does.

Spec: access/Callers, access/App, access/Backends
"""

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from livebot.api.routes import Access, Route
from livebot.api.security import every_route
from livebot.api.server import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    make_app,
    serve,
)
from livebot.metrics import Metrics
from livebot.rooms.status import HealthStatus
from livebot.settings import Bind, Settings, load_settings
from tests.support.asking import app_api, bearer
from tests.support.fake_rooms import FakeApp, FakeRooms

SHARED, OF_A, OF_B = (16 * letter for letter in "sab")
CALLS = "/api/v1/call/transcribe"
TOKEN = "abcd1234"

BODY = {
    "roomToken": TOKEN,
    "ncSessionId": "reader-1",
    "langId": "en",
    "turnServers": [],
}
"""Enough for every route that takes one."""

ROUTES = [(route.method, route) for route in every_route()] + [
    ("HEAD", route) for route in every_route() if route.method == "GET"
]

KINDS: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "empty key": bearer(""),
    "wrong key": bearer(SHARED + "x"),
    "half a key": bearer(SHARED[:-1]),
    "key as a password": {"Authorization": f"Basic {SHARED}"},
    "app's secret as a key": bearer("secret-of-a"),
    "shared key": bearer(SHARED),
    "key of a": bearer(OF_A),
    "key of b": bearer(OF_B),
    "app of a": app_api("secret-of-a"),
    "app of b": app_api("secret-of-b"),
    "app without an id": app_api("secret-of-a") | {"AA-REQUEST-ID": ""},
    "another app": app_api("secret-of-a") | {"EX-APP-ID": "another"},
    "app with a wrong secret": app_api("secret-of-c"),
    "app with a key": app_api(SHARED),
    "app with a broken header": app_api("") | {"AUTHORIZATION-APP-API": "***"},
    "app without a version": app_api("secret-of-a") | {"EX-APP-VERSION": ""},
}

KEYS = {"shared key", "key of a", "key of b"}
APPS = {"app of a", "app of b", "app without an id"}
KNOWN = KEYS | APPS
OF_THE_OTHER = {"key of b", "app of b"}


def may(kind: str, access: Access) -> bool:
    """Say whether the table lets somebody in."""
    match access:
        case Access.OPEN:
            return True
        case Access.OBSERVER | Access.CALLER | Access.SHARED | Access.LIVE:
            return kind in KNOWN
        case Access.APP:
            return kind in APPS


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service for two Nextclouds; made before the loop runs."""
    return load_settings(
        host="0.0.0.0",
        app_id="live_transcription",
        api_keys=f"ops:{SHARED}",
        backends=json.dumps(
            [
                {"name": "a", "APP_SECRET": "secret-of-a", "LT_API_KEYS": f"ann:{OF_A}"},
                {"name": "b", "APP_SECRET": "secret-of-b", "LT_API_KEYS": f"bob:{OF_B}"},
            ]
        ),
    )


class Service:
    """The API of two Nextclouds without calls, and who calls it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.rooms = {"a": FakeRooms(), "b": FakeRooms()}
        self.apps = {"a": FakeApp(), "b": FakeApp()}

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], **query: str
    ) -> tuple[int, str]:
        """Send a request with a body that serves for all; return status and text."""
        body: dict[str, Any] = {} if method in {"GET", "HEAD"} else {"json": BODY}
        async with self.http.request(
            method, path, headers=headers, params=query, **body
        ) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Serve it; the address is this machine's, whatever the settings say."""
    async with aiohttp.ClientSession() as nobody:
        found = Service(nobody)
        app = make_app(found.rooms, settings, Metrics(), apps=found.apps)
        async with _served(app) as found.http:
            yield found


@asynccontextmanager
async def _served(app: aiohttp.web.Application) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serve(app, Bind("127.0.0.1", 0)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        yield http


def request_of(route: Route) -> tuple[str, dict[str, str]]:
    """Return path and query of a request to a route."""
    query = {"enabled": "1"} if "enabled" in route.query else {}
    return route.path.replace("{roomToken}", TOKEN), query


@pytest.mark.parametrize("kind", KINDS)
async def test_who_gets_in(service: Service, kind: str) -> None:
    """Exactly whom the table lets in is let in; nobody else learns or changes anything."""
    for method, route in ROUTES:
        path, query = request_of(route)
        status, text = await service.ask(method, path, KINDS[kind], **query)

        where = f"{kind}: {method} {path}: {status} {text}"
        assert (status not in {401, 403, 429}) == may(kind, route.access), where
        is_off = status == 503 and (method == "HEAD" or "it is switched off" in text)
        assert status < 500 or status == 550 or is_off, where
    if kind not in KNOWN:
        assert not service.rooms["a"].enabled
        assert not service.rooms["b"].enabled


@pytest.mark.parametrize("kind", sorted(KEYS | APPS))
async def test_whose_rooms(service: Service, kind: str) -> None:
    """A credential of one Nextcloud neither begins nor shows captions of the other."""
    status, _ = await service.ask("POST", CALLS, KINDS[kind], backend="a")
    assert (status == 400) == (kind in OF_THE_OTHER)
    assert bool(service.rooms["a"].enabled) != (kind in OF_THE_OTHER)
    assert not service.rooms["b"].enabled

    for one in KEYS | APPS:
        _, listed = await service.ask("GET", CALLS, KINDS[one])
        assert (TOKEN in listed) == (one not in OF_THE_OTHER and bool(service.rooms["a"].enabled))


@pytest.mark.parametrize("kind", KINDS)
async def test_whose_troubles(service: Service, kind: str) -> None:
    """Strangers learn that something is wrong; what it is, those who may see rooms.

    Spec: access/Backends, observability/Health, observability/Readiness
    """
    seen = "" if kind not in KNOWN else "b" if kind in OF_THE_OTHER else "a"
    seen = "ab" if kind == "shared key" else seen
    for rooms in service.rooms.values():
        rooms.state, rooms.limit = HealthStatus.DEGRADED, 0
    health, readiness = [
        json.loads((await service.ask("GET", path, KINDS[kind]))[1])
        for path in ("/healthz", "/readyz")
    ]

    assert (health["status"], readiness["ready"]) == ("degraded", False)
    assert [reason[0] for reason in health["reasons"]] == [*seen]
    assert [reason[0] for reason in readiness["reasons"]] == [*seen]


async def test_whose_app(service: Service) -> None:
    """One Nextcloud that disables the app ends nothing in the other.

    Spec: access/App, access/Backends
    """
    a, b, ops = KINDS["app of a"], KINDS["app of b"], KINDS["shared key"]
    await service.ask("POST", "/init", b)
    assert [service.apps[name].inits for name in "ab"] == [0, 1]
    assert (await service.ask("PUT", "/enabled", b, enabled="0", backend="a"))[0] == 400
    assert (await service.ask("PUT", "/enabled", b, enabled="0"))[0] == 200

    assert [service.apps[name].enabled for name in "ab"] == [True, False]
    for kind, on in ((a, True), (b, False)):
        assert json.loads((await service.ask("GET", "/enabled", kind))[1]) == {"enabled": on}
        assert (await service.ask("POST", CALLS, kind))[0] == (200 if on else 503)
    for name, status in (("a", 200), ("b", 503)):
        assert (await service.ask("GET", CALLS, ops, backend=name))[0] == status
        assert (await service.ask("POST", CALLS, ops, backend=name))[0] == status
    assert (await service.ask("GET", CALLS, ops))[0] == 200
    assert not service.rooms["b"].enabled


async def test_disabled_while_a_call_begins(service: Service) -> None:
    """What began in that moment ends as well. Spec: access/App."""
    service.rooms["a"].delay_s = 0.3
    a = KINDS["app of a"]
    beginning = asyncio.create_task(service.ask("POST", CALLS, a))
    await asyncio.sleep(0.1)
    await service.ask("PUT", "/enabled", a, enabled="0")
    await beginning

    assert service.rooms["a"].enabled
    assert (service.apps["a"].disabled, service.apps["b"].disabled) == (2, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/no"),
        ("GET", "/enabled/"),
        ("PATCH", CALLS),
        ("POST", "/metrics"),
        ("GET", "/%2F"),
    ],
)
async def test_what_is_not_there(service: Service, method: str, path: str) -> None:
    """Who has no credentials does not learn what there is; who has them does."""
    assert (await service.ask(method, path, {}))[0] == 401
    assert (await service.ask(method, path, KINDS["shared key"]))[0] in {404, 405}


async def exchange(service: Service, sent: bytes) -> bytes:
    """Send bytes and return the answer."""
    url = service.http._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(5):
            return await reader.read(65_536)
    finally:
        writer.transport.abort()


SECRET = b"hunter2hunter2hunter2"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + MAX_HEADER_BYTES * b"x" + SECRET + b" HTTP/1.1\r\nHost: a",
        b"GET /healthz HTTP/1.1\r\nAuthorization: Bearer " + SECRET + MAX_HEADER_BYTES * b"x",
        b"GET /healthz HTTP/1.1\r\n" + 2 * MAX_HEADER_BYTES * b"x" + b": " + SECRET,
        b"GET /healthz HTTP/1.1" + (MAX_HEADERS + 1) * (b"\r\nX: " + SECRET),
        b"GET /healthz HTTP/1.1\r\nAuthorization: Bearer " + SECRET + b"\0",
        b"GET /healthz HTTP/1.1\r\nAuthorization Bearer " + SECRET,
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: " + SECRET,
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: " + SECRET,
        SECRET + b"{} /healthz HTTP/1.1\r\nHost: a",
        b"\x16\x03\x01" + SECRET,
    ],
)
async def test_heads_that_are_none(service: Service, head: bytes) -> None:
    """Too long, too many or broken: 400, and the answer quotes nothing. Spec: access/Heads."""
    answer = await exchange(service, head + b"\r\n\r\n")

    assert answer.split(b" ", 2)[1] == b"400"
    assert SECRET not in answer


async def test_the_largest_head(service: Service) -> None:
    """What is within the limits is served."""
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + (MAX_HEADER_BYTES - 1000) * b"x"
    answer = await exchange(service, head + (MAX_HEADERS - 2) * b"\r\nX: x" + b"\r\n\r\n")

    assert answer.split(b" ", 2)[1] == b"200"


@pytest.mark.parametrize("kind", ["none", "wrong key", "shared key"])
async def test_bodies_that_are_too_large(service: Service, kind: str) -> None:
    """Only who may send one is told that it is too large; nobody's is quoted."""
    header = KINDS[kind].get("Authorization", "none")
    head = (
        f"POST {CALLS}?backend=a HTTP/1.1\r\nHost: a\r\nAuthorization: {header}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {2 * MAX_BODY_BYTES}\r\n\r\n"
    )
    answer = await exchange(service, head.encode() + MAX_BODY_BYTES // 10 * (SECRET[:20]))

    assert answer.split(b" ", 2)[1] == (b"413" if kind == "shared key" else b"401")
    assert SECRET[:20] not in answer


@pytest.mark.parametrize(
    ("expected", "first"),
    [(b"100-continue", b"HTTP/1.1 100 Continue"), (SECRET, b"HTTP/1.1 200 ")],
)
async def test_what_callers_expect(service: Service, expected: bytes, first: bytes) -> None:
    """A body is asked for; what is not understood is neither quoted nor a status of its own."""
    body = json.dumps(BODY).encode()
    head = (
        f"POST {CALLS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {OF_A}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nExpect: "
    )
    url = service.http._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
    writer.write(head.encode() + expected + b"\r\n\r\n" + body)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(first)
    assert b"HTTP/1.1 200 OK" in answer
    assert SECRET not in answer


@pytest.mark.parametrize("kind", ["none", "key of a"])
async def test_nobody_unpacks_what_is_compressed(service: Service, kind: str) -> None:
    """A little that becomes 4 GiB costs nobody a moment, whoever sends it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    headers = {**KINDS[kind], "Content-Encoding": "gzip", "Content-Type": "application/json"}
    data = head + 512 * block

    async def send() -> int:
        async with service.http.post(CALLS, headers=headers, data=data) as answer:
            return answer.status

    began = time.monotonic()
    statuses = await asyncio.gather(*(send() for _ in range(8)))

    assert time.monotonic() - began < 6
    assert set(statuses) == {401 if kind == "none" else 400}
