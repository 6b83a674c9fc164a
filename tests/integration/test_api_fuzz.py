"""14,000 requests that nobody should send: no server error, no crash, no leak, no secret told."""

import asyncio
import gc
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from livebot.api import requests
from livebot.api.server import make_app, serve
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_rooms import FakeApp, FakeRooms
from tests.support.fuzz import SECRET, Fuzzer, Request
from tests.support.waiting import until

KEY = "Bearer 0123456789abcdef"

NEARLY_RIGHT, GARBAGE = 8000, 6000
BATCH = 1000
CLIENTS = 8

ANSWER_S = 5.0
"""Nobody is left without an answer for longer."""

GARBAGE_S = 0.03
"""Half a request is not answered, so no longer than this is waited for an answer."""

GROWTH_MIB = 6.0
"""A leak of 1 KiB per request would be 7 MiB. Some 3 are zlib's and the parser's, below Python,
after bodies that are not what they say and headers that are none."""

BLOCKS_PER_REQUEST = 0.2
"""What a small object is to Python; one that each request left behind would be 0.5 and more, and
caches of the libraries that are not full yet are 0.1."""

GONE_S = 45.0
"""By then the service has closed whatever its clients left open."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@pytest.fixture
def settings() -> Settings:
    """Return the settings of an app that has a key besides, without a limit on requests."""
    return load_settings(
        host="127.0.0.1",
        api_keys="ops:0123456789abcdef",
        requests_per_minute=0,
        turn_hosts="t",
    )


@pytest.fixture
def rooms() -> FakeRooms:
    """Return rooms that are never full."""
    return FakeRooms(limit=1_000_000)


@pytest.fixture
async def port(
    rooms: FakeRooms, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[int]:
    """Serve the API, which waits for bodies that never come no longer than it must."""
    monkeypatch.setattr(requests, "BODY_S", 0.05)
    served = make_app({"default": rooms}, settings, Metrics(), apps={"default": FakeApp()})
    async with serve(served, Bind("127.0.0.1", 0)) as port:
        yield port


@pytest.mark.timeout(180)
async def test_nearly_right_requests(port: int, rooms: FakeRooms) -> None:
    """Each is answered, below 500, without a word of its credentials.

    Spec: room-control/Bad requests, observability/Privacy.
    """
    seen: Counter[int] = Counter()
    fuzzers = [Fuzzer(seed, KEY) for seed in range(CLIENTS)]
    memory = Memory()
    for _ in range(NEARLY_RIGHT // BATCH):
        with capture_logs() as logged:
            async with asyncio.TaskGroup() as group:
                for fuzzer in fuzzers:
                    sent = [fuzzer.request() for _ in range(BATCH // CLIENTS)]
                    group.create_task(_send_all(port, sent, seen))
        _check_log(logged)
        rooms.enabled.clear()
        await memory.measure()

    # All kinds of ends were reached, so the requests were neither too wrong nor too right.
    assert {200, 400, 401, 404, 405, 408, 412, 413} <= set(seen), seen
    assert max(seen) < 500, seen
    assert seen.total() == NEARLY_RIGHT
    assert memory.new_blocks < BLOCKS_PER_REQUEST * NEARLY_RIGHT, memory._blocks
    assert memory.growth_mib < GROWTH_MIB, memory._mib
    assert await _is_healthy(port)


@pytest.mark.timeout(180)
async def test_garbage(port: int, rooms: FakeRooms) -> None:
    """Whatever the bytes: no server error, and the service goes on.

    Spec: room-control/Bad requests, observability/Privacy.
    """
    seen: Counter[int] = Counter()
    fuzzer = Fuzzer(0, KEY)
    memory = Memory()
    for _ in range(GARBAGE // BATCH):
        sent = [fuzzer.garbage() for _ in range(BATCH)]
        with capture_logs() as logged:
            async with asyncio.TaskGroup() as group:
                for number in range(CLIENTS * 4):
                    group.create_task(_throw_all(port, sent[number :: CLIENTS * 4], seen))
        _check_log(logged)
        rooms.enabled.clear()
        await memory.measure()

    assert {200, 400} <= set(seen), seen
    assert max(seen) < 500, seen
    assert memory.new_blocks < BLOCKS_PER_REQUEST * GARBAGE, memory._blocks
    assert memory.growth_mib < GROWTH_MIB, memory._mib
    assert await _is_healthy(port)


class Memory:
    """This process's memory, batch by batch; the first one fills caches."""

    def __init__(self) -> None:
        self._tasks = len(asyncio.all_tasks())
        self._process = psutil.Process()
        self._mib: list[float] = []
        self._blocks: list[int] = []

    async def measure(self) -> None:
        """Take another reading, once connections are gone: each is some hundred blocks."""
        await until(lambda: len(asyncio.all_tasks()) <= self._tasks, GONE_S)
        gc.collect()
        self._blocks.append(sys.getallocatedblocks())
        self._mib.append(self._process.memory_info().rss / (1 << 20))

    @property
    def new_blocks(self) -> int:
        """Return how many more blocks Python has at the end than at the beginning, at least."""
        return min(self._blocks[-2:]) - max(self._blocks[:2])

    @property
    def growth_mib(self) -> float:
        """Return by how much the last reading is above the one after the first batch."""
        return self._mib[-1] - self._mib[0]


async def _send_all(port: int, sent: list[Request], seen: Counter[int]) -> None:
    """Send requests one after the other, over as few connections as they allow."""
    link = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in sent:
            status, is_open = await _exchange(*link, request)
            seen[status] += 1
            if not is_open:
                await _close(link[1])
                link = await asyncio.open_connection("127.0.0.1", port)
    finally:
        await _close(link[1])


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
) -> tuple[int, bool]:
    """Send a request; return the answer's status, and whether another one may be sent."""
    writer.write(request.data)
    status, head, body = 100, b"", b""
    try:
        async with asyncio.timeout(ANSWER_S):
            while status == 100:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                status = int(head.split(b" ", 2)[1])
            if request.has_body:
                (length,) = re.findall(rb"content-length: (\d+)", head)
                body = await reader.readexactly(int(length))
    except (EOFError, OSError, TimeoutError) as exc:
        raise AssertionError(f"no answer to {request.data[:2000]!r}") from exc
    assert SECRET.encode() not in head + body
    if status >= 400 and request.has_body:
        assert b"application/json" in head
        assert b'"error"' in body
    return status, request.is_sound and b"connection: close" not in head and status < 400


async def _throw_all(port: int, sent: list[bytes], seen: Counter[int]) -> None:
    """Send bytes, each over a connection of their own."""
    for data in sent:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            async with asyncio.timeout(GARBAGE_S):
                answer = await reader.read(1 << 16)
        except (TimeoutError, OSError):
            answer = b""
        await _close(writer)
        seen.update(int(status) for status in _STATUS.findall(answer))


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):  # the server was faster
        await writer.wait_closed()


def _check_log(logged: list[Any]) -> None:
    """Check that nothing failed, and that no credential was logged."""
    events = {line["event"] for line in logged}
    assert not events & {"request_failed", "request_took_too_long"}, logged
    assert SECRET not in str(logged)


async def _is_healthy(port: int) -> bool:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    link = await asyncio.open_connection("127.0.0.1", port)
    status, _ = await _exchange(*link, Request(request, has_body=True, is_sound=True))
    await _close(link[1])
    return status == 200
