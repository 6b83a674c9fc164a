"""Who gets a connection, and who loses it."""

import asyncio
import resource
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import connections
from livebot.api.connections import (
    HEADERS_S,
    SENDING_S,
    Connection,
    Connections,
    most_connections,
    raise_descriptor_limit,
)


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.is_open = True

    def abort(self) -> None:
        """End at once."""
        if self.is_open:
            self.is_open = False
            self.protocol.connection_lost(None)

    close = abort


class Body:
    """A body that came whole, or not yet."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def is_eof(self) -> bool:
        """Say which."""
        return self.whole


def connect(all_of: Connections) -> Wire:
    """Open a connection."""
    protocol = all_of.protocol_factory()
    wire = Wire(protocol)
    protocol.connection_made(wire)
    return wire


def request(*, whole: bool = True) -> web.Request:
    """Return a request."""
    return make_mocked_request("POST", "/", payload=cast(StreamReader, Body(whole=whole)))


def serving(wire: Wire, of: web.Request) -> Any:
    """Return the context in which a request is answered."""
    assert isinstance(wire.protocol, Connection)
    return wire.protocol.serving(of)


@pytest.fixture
def three() -> Connections:
    """Return room for three."""
    return Connections(asyncio.Protocol, 3)


def test_who_waited_longest_goes(three: Connections) -> None:
    """The newest gets a place; who was served last stays. Spec: access/Slow callers."""
    first, second, third = (connect(three) for _ in range(3))
    with serving(first, request()):
        pass

    fourth = connect(three)

    assert [w.is_open for w in (first, second, third, fourth)] == [True, False, True, True]
    assert len(three) == 3


def test_whole_requests_are_answered(three: Connections) -> None:
    """While all places are taken by them, the newest goes. Spec: access/Slow callers."""
    wires = [connect(three) for _ in range(3)]
    with serving(wires[0], request()), serving(wires[1], request()), serving(wires[2], request()):
        fourth = connect(three)
        assert [w.is_open for w in (*wires, fourth)] == [True, True, True, False]
        assert len(three) == 3

    assert connect(three).is_open


def test_half_a_body_is_no_request(three: Connections) -> None:
    """Until the rest comes, somebody else may have the place. Spec: access/Slow callers."""
    wires = [connect(three) for _ in range(3)]
    half = request(whole=False)
    with serving(wires[0], half), serving(wires[1], request()):
        assert connect(three).is_open
        assert [w.is_open for w in wires] == [False, True, True]


@given(st.lists(st.sampled_from(["connect", "serve", "leave"]), max_size=60), st.data())
def test_never_more_than_the_limit(steps: list[str], data: st.DataObject) -> None:
    """Whatever happens, the limit holds, and nobody who is being served is closed."""
    all_of = Connections(asyncio.Protocol, 4)
    wires: list[Wire] = []
    busy: dict[Wire, Any] = {}
    for step in steps:
        idle = [w for w in wires if w.is_open and w not in busy]
        if step == "connect":
            wires.append(connect(all_of))
        elif step == "serve" and idle:
            wire = data.draw(st.sampled_from(idle))
            busy[wire] = serving(wire, request())
            busy[wire].__enter__()
        elif step == "leave" and busy:
            wire = data.draw(st.sampled_from(list(busy)))
            busy.pop(wire).__exit__(None, None, None)
        assert len(all_of) == sum(w.is_open for w in wires) <= 4
        assert all(wire.is_open for wire in busy)
    for context in busy.values():
        context.__exit__(None, None, None)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("begin", "end", "deadline"),
    [
        (lambda p: p.data_received(b"GET"), lambda p: p.data_received(b" "), HEADERS_S),
        (lambda p: p.pause_writing(), lambda p: p.data_received(b""), SENDING_S),
    ],
)
async def test_deadlines(
    begin: Callable[[asyncio.Protocol], None],
    end: Callable[[asyncio.Protocol], None],
    deadline: float,
) -> None:
    """Neither headers nor answers take for ever, byte by byte. Spec: access/Slow callers."""
    wire = connect(Connections(asyncio.Protocol, 3))
    begin(wire.protocol)
    for _ in range(9):
        await asyncio.sleep(deadline / 10)
        end(wire.protocol)
        assert wire.is_open
    await asyncio.sleep(deadline / 10 + 0.001)
    assert not wire.is_open


@pytest.mark.virtual_time
async def test_in_time() -> None:
    """Who sends and reads in time stays; so does who sends nothing, for keep-alive's sake."""
    wire = connect(Connections(asyncio.Protocol, 3))
    wire.protocol.data_received(b"GET / HTTP/1.1\r\n\r\n")
    with serving(wire, request()):
        wire.protocol.pause_writing()
        await asyncio.sleep(SENDING_S - 1)
        wire.protocol.resume_writing()
    await asyncio.sleep(10 * max(HEADERS_S, SENDING_S))

    assert wire.is_open


async def test_closed_before_it_began(three: Connections) -> None:
    """A connection may have to go between its accept and its begin."""
    early = three.protocol_factory()
    for _ in range(3):
        connect(three)
    wire = Wire(early)

    early.connection_made(wire)

    assert not wire.is_open


async def test_without_such_a_connection() -> None:
    """Tests and other servers may have protocols of their own."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text="answered")

    found = await connections.while_served(make_mocked_request("GET", "/"), handler)

    assert isinstance(found, web.Response)
    assert found.text == "answered"


@pytest.mark.parametrize(
    ("descriptors", "most"),
    [(3, 1), (64, 16), (1024, 256), (20_000, connections.MOST_CONNECTIONS)],
)
def test_calls_keep_most_descriptors(descriptors: int, most: int) -> None:
    """Callers take a quarter at most."""
    assert most_connections(descriptors) == most


def test_as_many_descriptors_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soft limit rises as far as the hard one lets it, and is never lowered."""
    infinite = resource.RLIM_INFINITY
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    for soft, hard, most in (
        (1024, 4096, 4096),
        (1024, 1_000_000, connections.DESCRIPTORS),
        (1024, infinite, connections.DESCRIPTORS),
        (200_000, 200_000, 200_000),
        (infinite, infinite, connections.DESCRIPTORS),
        (4096, 4096, 4096),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, found=(soft, hard): found)
        assert raise_descriptor_limit() == most

    assert asked == [
        (4096, 4096),
        (connections.DESCRIPTORS, 1_000_000),
        (connections.DESCRIPTORS, infinite),
    ]
