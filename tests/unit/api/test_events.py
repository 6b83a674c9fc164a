"""Reading along over HTTP: a snapshot, then every event once, for those who may."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import native, sse
from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.errors import NotFoundError, StoreError
from livebot.feeds.directory import Feeds, live_feed, room_feed
from livebot.feeds.events import Final, Gap, Interim, Notice, Numbered, Speaker
from livebot.feeds.feed import MOST_EVENTS, Feed
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from livebot.store.contract import Store
from livebot.store.records import Share
from tests.support.fake_rooms import FakeRooms

ROOM = "abcd1234"
SESSION = "0123456789abcdef" * 2
KEYS = "ada:0123456789abcdef,grace:fedcba9876543210"
ADA = {"Authorization": "Bearer 0123456789abcdef"}
GRACE = {"Authorization": "Bearer fedcba9876543210"}
ROOM_EVENTS = f"/api/v1/rooms/{ROOM}/events"
LIVE_EVENTS = f"/api/v1/live/{SESSION}/events"

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@dataclass
class Shelf:
    """A store of links, and of nothing else."""

    links: dict[str, Share] = field(default_factory=dict)
    is_broken: bool = False

    @property
    def shares(self) -> "Shelf":
        """Return what keeps links."""
        return self

    async def find(self, token: str, now: float) -> Share | None:
        """Return what a link opens."""
        if self.is_broken:
            raise StoreError("the database is full")
        found = self.links.get(token)
        return found if found and found.expires_at > now else None


class Owners:
    """Live sessions, of which is known only whose they are."""

    def owner(self, session: str) -> str:
        """Return whose a session is."""
        if session != SESSION:
            raise NotFoundError("there is no such live session")
        return "ada"


@dataclass
class World:
    """A service with one room's feed and one live session's, and who asks it."""

    http: aiohttp.ClientSession
    feeds: Feeds
    room: Feed
    live: Feed
    shelf: Shelf

    @asynccontextmanager
    async def reading(self, path: str, **given_: Any) -> AsyncIterator["Reading"]:
        """Read along."""
        async with self.http.get(path, **given_) as answer:
            yield Reading(answer)


class Reading:
    """An answer that goes on.

    Args:
        answer: It.
    """

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.comments = 0
        self._values = self._all()

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Return what is told from now on."""
        return self._values

    async def next(self) -> dict[str, Any]:
        """Return what is told next."""
        return await anext(self._values)

    async def _all(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what is told, with the name and the id it is told with."""
        async for event, ident, value in self._messages():
            assert event == value["type"]
            assert ident == str(value["seq"])
            yield value

    async def _messages(self) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
        fields: dict[str, str] = {}
        async for line in self.answer.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if not name and not value and fields:
                yield fields["event"], fields["id"], json.loads(fields["data"])
                fields = {}
            elif line.startswith(b":"):
                self.comments += 1
            elif name:
                fields[name] = value


@pytest.fixture
def keyed() -> Settings:
    """Return settings of a service with two keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=KEYS)


@pytest.fixture
async def world(keyed: Settings) -> AsyncIterator[World]:
    """Serve a room and a live session in which nobody has spoken yet."""
    feeds, shelf = Feeds(), Shelf()
    room, live = Feed(room_feed("default", ROOM)), Feed(live_feed(SESSION))
    services = Services(feeds=feeds, store=cast(Store, shelf), live=cast(LiveSessions, Owners()))
    app = make_app({"default": FakeRooms()}, keyed, Metrics(), services=services)
    # The reader goes before the server, which would wait for it.
    async with (
        serve(app, Bind("127.0.0.1", 0)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        with feeds.listed(room), feeds.listed(live):
            yield World(http, feeds, room, live, shelf)


def _link(kind: str, target: str, lasts_s: float) -> Share:
    return Share(id="id", kind=kind, target=target, expires_at=time.time() + lasts_s)


def said(number: int, text: str = "words") -> Final:
    """Return an utterance."""
    return Final(f"u{number}", text, (), Speaker("s", "Ada"), "en", float(number), number + 0.5)


async def test_first_all_there_is_then_every_event(world: World) -> None:
    """Spec: page/Reading along."""
    world.room.publish(said(1))
    world.room.publish(Interim("u2", "more wo"))
    async with world.reading(ROOM_EVENTS, headers=ADA) as reading:
        assert reading.answer.content_type == "text/event-stream"
        assert reading.answer.headers["Cache-Control"] == "no-store"
        snapshot = await reading.next()
        assert snapshot["type"] == "snapshot"
        assert snapshot["epoch"] == world.room.epoch
        assert [final["text"] for final in snapshot["finals"]] == ["words"]
        assert [interim["text"] for interim in snapshot["interims"]] == ["more wo"]
        world.room.publish(said(2, "more words"))
        world.room.publish(Gap("g", "network", 3.0, None, 0.0))
        world.room.publish(Notice("n", "something"))
        told = [await reading.next() for _ in range(3)]
        assert [each["seq"] for each in told] == [3, 4, 5]
        assert told[0]["speaker"] == {"id": "s", "name": "Ada"}
        world.room.close()
        assert await reading.next() == {"type": "closed", "seq": 5}
        assert [value async for value in reading] == []


async def test_who_comes_back_gets_what_followed(world: World) -> None:
    """Spec: page/Reading along."""
    for number in range(5):
        world.room.publish(said(number))
    query = {"after": "3", "epoch": repr(world.room.epoch)}
    async with world.reading(ROOM_EVENTS, headers=ADA, params=query) as reading:
        assert [(await reading.next())["seq"] for _ in range(2)] == [4, 5]


@pytest.mark.parametrize("query", [{"after": "3", "epoch": "1.5"}, {"after": "77"}, {}])
async def test_where_numbers_mean_nothing_there_is_a_snapshot(
    world: World, query: dict[str, str]
) -> None:
    """A service that began anew has other events under the same numbers."""
    for number in range(5):
        world.room.publish(said(number))
    async with world.reading(ROOM_EVENTS, headers=ADA, params=query) as reading:
        assert (await reading.next())["type"] == "snapshot"


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"after": "1", "epoch": "x"}])
async def test_nonsense_is_refused(world: World, query: dict[str, str]) -> None:
    """And nothing of it is quoted."""
    async with world.http.get(ROOM_EVENTS, headers=ADA, params=query) as answer:
        assert answer.status == 400


async def test_where_nothing_is_said_there_is_nothing(world: World) -> None:
    """A room without captions, a session that is over, names that cannot be."""
    for path in ("/api/v1/rooms/zzzz9999/events", f"/api/v1/live/{'f' * 32}/events"):
        async with world.http.get(path, headers=ADA) as answer:
            assert answer.status == 404
    for path, status in (("/api/v1/rooms/UPPER/events", 400), ("/api/v1/live/x/events", 404)):
        async with world.http.get(path, headers=ADA) as answer:
            assert answer.status == status


async def test_a_session_is_its_owners(world: World) -> None:
    """Other keys learn not even that there is one. Spec: page/Who may read along."""
    world.live.publish(said(1, "private"))
    async with world.reading(LIVE_EVENTS, headers=ADA) as reading:
        assert (await reading.next())["finals"][0]["text"] == "private"
    async with world.http.get(LIVE_EVENTS, headers=GRACE) as answer:
        assert answer.status == 404
        assert "private" not in await answer.text()
    async with world.http.get(LIVE_EVENTS) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("kind", "target", "opens"),
    [
        ("room", f"default/{ROOM}", ROOM_EVENTS),
        ("live", SESSION, LIVE_EVENTS),
        ("transcript", SESSION, None),
        ("live", "f" * 32, None),
        ("room", "default/zzzz9999", None),
        ("room", f"other/{ROOM}", None),
    ],
)
async def test_a_link_opens_what_it_is_of(
    world: World, kind: str, target: str, opens: str | None
) -> None:
    """And nothing else. Spec: page/Who may read along."""
    world.shelf.links["token"] = _link(kind, target, 60)
    for path in (ROOM_EVENTS, LIVE_EVENTS):
        async with world.reading(path, headers={"Livebot-Share": "token"}) as reading:
            if path == opens:
                assert (await reading.next())["type"] == "snapshot"
            else:
                assert reading.answer.status == 404


async def test_a_link_that_expired_opens_nothing(world: World) -> None:
    """Nor does one that never was. Spec: page/Who may read along."""
    world.shelf.links["old"] = _link("live", SESSION, -1)
    for token in ("old", "never"):
        async with world.http.get(LIVE_EVENTS, headers={"Livebot-Share": token}) as answer:
            assert answer.status == 401


async def test_a_broken_store_is_told_before_anything_else(world: World) -> None:
    """The answer is an ordinary one."""
    world.shelf.is_broken = True
    async with world.http.get(LIVE_EVENTS, headers={"Livebot-Share": "token"}) as answer:
        assert (answer.status, answer.content_type) == (503, "application/json")


async def test_comments_while_nothing_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies end what is silent; and what follows the comments is not lost."""
    monkeypatch.setattr(sse, "KEEPALIVE_S", 0.02)
    async with world.reading(ROOM_EVENTS, headers=ADA) as reading:
        await reading.next()
        later = asyncio.get_running_loop().call_later(0.2, world.room.publish, said(1))
        assert (await reading.next())["seq"] == 1
        assert reading.comments >= 1
        later.cancel()


async def test_head_tells_of_what_kind_it_is(world: World) -> None:
    """And ends."""
    async with world.http.head(ROOM_EVENTS, headers=ADA) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")


async def test_a_slow_reader_gets_a_snapshot_and_holds_up_nobody(world: World) -> None:
    """What it has not read is kept once, in the feed, and no longer than for everybody."""
    async with (
        world.reading(ROOM_EVENTS, headers=ADA) as slow,
        world.reading(ROOM_EVENTS, headers=ADA) as quick,
    ):
        for reading in (slow, quick):
            assert (await reading.next())["type"] == "snapshot"
        numbers: list[int] = []
        total = MOST_EVENTS * 2
        for number in range(1, total + 1):
            world.room.publish(said(number, "word " * 40))
            if number % 64 == 0:
                while not numbers or numbers[-1] < number:
                    numbers.append((await quick.next())["seq"])
        assert numbers == list(range(1, total + 1))
        world.room.close()
        told = [(value["type"], value["seq"]) async for value in slow]
        assert [seq for _, seq in told] == sorted(seq for _, seq in told)
        assert told[-1] == ("closed", total)
        jumps = [
            kind for (_, before), (kind, seq) in pairwise(told)
            if seq > before + 1
        ]  # fmt: skip
        assert set(jumps) <= {"snapshot"}


async def test_a_reader_that_leaves_is_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon after, though nothing is said: a comment finds nobody."""
    monkeypatch.setattr(sse, "KEEPALIVE_S", 0.02)
    async with world.reading(ROOM_EVENTS, headers=ADA) as reading:
        await reading.next()
        assert _waiting() == 1
        reading.answer.close()
    async with asyncio.timeout(10):
        while _waiting():  # noqa: ASYNC110 - nobody tells when a reader is gone
            await asyncio.sleep(0.01)


def _waiting() -> int:
    return sum(task.get_name() == "sse-message" for task in asyncio.all_tasks())


@given(value=_json, ident=st.none() | st.integers(0, 2**53), event=st.sampled_from(["", "final"]))
def test_whatever_is_told_comes_back(value: object, ident: int | None, event: str) -> None:
    """A line break inside of a text does not end a message."""
    lines = sse.message(value, event=event, ident=ident).decode().split("\n")
    assert lines[-2:] == ["", ""]
    fields = dict(line.split(": ", 1) for line in lines[:-2])
    assert json.loads(fields.pop("data")) == value
    assert fields.pop("id", None) == (None if ident is None else str(ident))
    assert fields == ({"event": event} if event else {})


def test_events_have_their_place_in_front() -> None:
    """One form for WebSockets and for server-sent events."""
    told = native.form(Numbered(7, 1.23456, Notice("code", "text")))
    assert told == {"seq": 7, "at": 1.235, "type": "notice", "code": "code", "text": "text"}
