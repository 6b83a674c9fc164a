"""Tests of `livebot.rooms.manager`, with rooms that do what the test says.

Spec: room-control/Limits, room-control/Drain, room-control/Restart
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from livebot.errors import (
    BusyError,
    NotAReaderError,
    NotFoundError,
    QuotaError,
    RequestError,
    SignalingRefusedError,
    TranslationUnavailableError,
)
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.rooms import directory as module
from livebot.rooms.blueprint import RoomOptions
from livebot.rooms.directory import TAKE_UP
from livebot.rooms.keeping import AS_SET, Keeping
from livebot.rooms.manager import RoomManager
from livebot.rooms.readers import MOST_READERS, Wish
from livebot.rooms.status import HealthStatus, RoomState, RoomStatus
from livebot.rooms.surroundings import Surroundings
from livebot.rooms.wanted import WantedRoom, decode, encode
from livebot.settings import IceServer, Settings
from tests.support.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.virtual_time

LAST_WORDS_S = 4.0
TWO_LANGUAGES = ScriptedEngine({"en": "English", "fr": "French"})
SERVERS = (IceServer(("turn:t:3478",), "u", "hunter2"),)


class PretendRoom:
    """Runs until it is stopped, and then for `LAST_WORDS_S`; `end()` and `fail()` are its own."""

    def __init__(
        self,
        options: RoomOptions,
        *,
        may_listen: Callable[[], bool] = lambda: True,
        on_change: Callable[[], None],
        **_: object,
    ) -> None:
        self.options = options
        self.token = options.token
        self.language = options.publication.language
        self.readers = options.publication.readers
        self.here: frozenset[TalkSessionId] = frozenset()
        self.may_listen = may_listen
        self.on_change = on_change
        self.speaker_count = 0
        self.troubles: list[str] = []
        self.state = RoomState.JOINED
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Wait for the end."""
        await self._over

    def stop(self, _: str) -> None:
        """End after the last words."""
        self.state = RoomState.LEAVING
        asyncio.get_running_loop().call_later(LAST_WORDS_S, self.end)

    def end(self) -> None:
        """End by itself."""
        if not self._over.done():
            self._over.set_result(None)

    def fail(self, error: Exception) -> None:
        """End by a fault."""
        self._over.set_exception(error)

    def set_language(self, language: str) -> None:
        """Note what is spoken."""
        self.language = language

    def readers_changed(self) -> None:
        """Know them already."""

    def status(self) -> RoomStatus:
        """Say that all is well."""
        return RoomStatus(self.token, "en", self.state, 0.0, (), None)


@dataclass(slots=True)
class World:
    """A manager, its rooms in the order they began, and what it was told and tells."""

    overload: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    hears_more: bool = True
    kept: list[tuple[WantedRoom, ...]] = field(default_factory=list)
    rooms: list[Any] = field(default_factory=list)
    manager: RoomManager = field(init=False)

    def keep(self, rooms: Iterable[WantedRoom]) -> None:
        """Note what is to be kept over a restart."""
        self.kept.append(tuple(rooms))

    @property
    def wanted(self) -> list[str]:
        """Return the tokens that were kept last."""
        return [room.token for room in self.kept[-1]]

    async def enable(self, *tokens: str) -> None:
        """Start rooms."""
        for token in tokens:
            assert await self.manager.enable(RoomToken(token), "en", ())
        await asyncio.sleep(0)

    async def disable(self, token: str) -> None:
        """Stop a room."""
        await self.manager.disable(RoomToken(token))


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Return how to open a world."""

    @asynccontextmanager
    async def opened(
        found: Sequence[WantedRoom] = (),
        engine: ScriptedEngine | None = None,
        **settings: Any,
    ) -> AsyncIterator[World]:
        it = World()

        def room(options: RoomOptions, **given: Any) -> PretendRoom:
            pretend = PretendRoom(options, **given)
            it.rooms.append(pretend)
            return pretend

        monkeypatch.setattr(module, "Room", room)
        around = Surroundings(
            overload=lambda: it.overload,
            troubles=lambda: it.troubles,
            full=lambda: it.full,
            may_listen=lambda: it.hears_more,
            keep=it.keep,
            found=found,
        )
        given = {"LT_HPB_URL": "ws://h", "LT_INTERNAL_SECRET": "s"} | settings
        it.manager = RoomManager(
            Settings(_env_file=None, **given),
            engine=engine or ScriptedEngine(),
            metrics=Metrics(),
            around=around,
        )
        async with it.manager:
            yield it
            await it.manager.drain(10)

    return opened


async def test_each_obstacle_is_told(world: Callable[..., Any]) -> None:
    """A caller and the readiness check learn the same, for each limit and for the end."""
    async with world(LT_MAX_ROOMS=2, LT_MAX_SPEAKERS=3) as it:
        await it.enable("room1", "room2")
        it.rooms[1].speaker_count = 3
        it.overload.append("event loop late by 180 ms")
        expected = ["2 of 2 rooms", "3 of 3 speakers", "event loop late by 180 ms"]

        assert it.manager.obstacles == expected
        with pytest.raises(BusyError) as caught:
            await it.enable("room3")
        assert all(text in str(caught.value) for text in expected)
        it.overload.clear()
        it.rooms[1].end()
        await asyncio.sleep(0.1)
        assert it.manager.obstacles == []
        await it.enable("room3")
        await it.manager.drain(10)

        assert it.manager.obstacles == ["about to stop"]
        with pytest.raises(BusyError, match="about to stop"):
            await it.enable("room4")


async def test_speakers_are_counted_over_all_rooms(world: Callable[..., Any]) -> None:
    """One more is listened to only while all rooms together have fewer than the limit."""
    async with world(LT_MAX_SPEAKERS=3) as it:
        await it.enable("room1", "room2")
        one, other = it.rooms

        one.speaker_count, other.speaker_count = 1, 1
        assert one.may_listen()
        assert other.may_listen()
        other.speaker_count = 2
        assert not one.may_listen()
        assert not other.may_listen()
        one.speaker_count = 0
        assert other.may_listen()


async def test_overload_keeps_what_runs(world: Callable[..., Any]) -> None:
    """No new room and no new speaker; the rooms there are go on, and health says why."""
    async with world() as it:
        await it.enable("room1")
        it.overload.append("memory 870 of 800 MB")

        assert not it.rooms[0].may_listen()
        health = it.manager.health()
        assert (health.status, health.reasons) == (
            HealthStatus.DEGRADED,
            ("memory 870 of 800 MB",),
        )
        assert not await it.manager.enable(RoomToken("room1"), "en", ())
        await asyncio.sleep(60)
        assert [room.token for room in it.manager.rooms()] == ["room1"]


async def test_troubles_elsewhere_are_reasons(world: Callable[..., Any]) -> None:
    """What the engine or the disk complains of is on the health page; rooms are taken."""
    async with world() as it:
        it.troubles.append("kyutai is away; local understands")

        assert it.manager.health().reasons == ("kyutai is away; local understands",)
        assert it.manager.health().status is HealthStatus.DEGRADED
        assert it.manager.obstacles == []


async def test_what_is_wanted_is_kept_as_it_was_asked_for(world: Callable[..., Any]) -> None:
    """Each start and each stop is noted, with the servers, before it is answered."""
    async with world() as it:
        await it.manager.enable(RoomToken("room1"), "en", SERVERS)
        assert it.kept[-1] == (WantedRoom(RoomToken("room1"), "en", SERVERS),)
        await it.enable("room2")
        assert it.wanted == ["room1", "room2"]
        await it.disable("room1")
        assert it.wanted == ["room2"]


async def test_rooms_that_ended_are_not_wanted(world: Callable[..., Any]) -> None:
    """Neither one whose call is over, nor one that the server refused."""
    async with world() as it:
        await it.enable("room1", "room2", "room3")
        it.rooms[0].end()
        it.rooms[1].fail(SignalingRefusedError("no_such_room"))
        await asyncio.sleep(0.1)

        assert it.wanted == ["room3"]


async def test_a_room_that_is_just_being_left_can_be_started(world: Callable[..., Any]) -> None:
    """A call that begins again a moment after its end is captioned by a bot that stays."""
    async with world() as it:
        await it.enable("room1")
        it.rooms[0].stop("the call ended")
        await it.enable("room1")
        await asyncio.sleep(2 * LAST_WORDS_S)

        assert [room.state for room in it.manager.rooms()] == [RoomState.JOINED]
        assert it.wanted == ["room1"]


async def test_a_drain_tells_nobody_that_a_room_goes_on(world: Callable[..., Any]) -> None:
    """Who starts a room that is being left with all others learns that there is none soon."""
    async with world() as it:
        await it.enable("room1")
        draining = asyncio.create_task(it.manager.drain(10))
        await asyncio.sleep(LAST_WORDS_S / 2)

        with pytest.raises(BusyError, match="about to stop"):
            await it.enable("room1")
        await draining


async def test_a_drain_keeps_what_ran(world: Callable[..., Any]) -> None:
    """Whether a room is left in time or cut off; what is stopped meanwhile is not kept."""
    async with world() as it:
        await it.enable("room1", "room2", "room3")
        draining = asyncio.create_task(it.manager.drain(10))
        await asyncio.sleep(LAST_WORDS_S / 2)
        await it.disable("room2")
        await draining
        assert it.manager.rooms() == []
        assert it.wanted == ["room1", "room3"]
        await it.disable("room3")
        with pytest.raises(NotFoundError):
            await it.disable("room3")

    assert it.wanted == ["room1"]


async def test_rooms_that_are_cut_off_stay_wanted(world: Callable[..., Any]) -> None:
    """A drain without enough time is a restart like any other."""
    async with world() as it:
        await it.enable("room1")
        await it.manager.drain(LAST_WORDS_S / 2)

    assert it.wanted == ["room1"]


async def test_a_bug_in_a_room_does_not_come_back(world: Callable[..., Any]) -> None:
    """It ends the process; the next one takes up all rooms but the one that had it."""
    opened: list[World] = []

    async def crash() -> None:
        async with world() as it:
            opened.append(it)
            await it.enable("room1", "room2")
            it.rooms[0].fail(KeyError())
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup):
        await crash()

    assert opened[0].wanted == ["room2"]


def found(count: int) -> list[WantedRoom]:
    """Return rooms of the last run."""
    return [WantedRoom(RoomToken(f"room{n}"), "en", SERVERS) for n in range(count)]


@asynccontextmanager
async def taking_up(it: World) -> AsyncIterator[asyncio.Task[None]]:
    """Take up what was found, during the context."""
    task = asyncio.create_task(it.manager.take_up())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_rooms_of_the_last_run_begin_a_few_at_a_time(world: Callable[..., Any]) -> None:
    """All come back, as they were asked for; until then health is degraded."""
    async with world(found(12)) as it, taking_up(it) as task:
        begun, reasons = [], []
        for _ in range(3):
            await asyncio.sleep(module.TAKE_UP_EVERY_S / 2)
            begun.append(len(it.rooms))
            reasons.append(it.manager.health().reasons)
            await asyncio.sleep(module.TAKE_UP_EVERY_S / 2)
        await task

        assert begun == [TAKE_UP, 2 * TAKE_UP, 12]
        assert reasons[0] == ("rooms of the last run not taken up yet: 7",)
        assert reasons[2] == ()
        assert await it.rooms[0].options.speakers.reception.ice_servers() == SERVERS
        assert it.manager.health().rooms == 12


async def test_overload_holds_up_rooms_of_the_last_run(world: Callable[..., Any]) -> None:
    """They begin when there is room for them, in the limits of now."""
    async with world(found(3), LT_MAX_ROOMS=2) as it, taking_up(it):
        it.overload.append("event loop late by 180 ms")
        await asyncio.sleep(60)
        assert it.rooms == []
        it.overload.clear()
        await asyncio.sleep(5)
        assert len(it.rooms) == 2
        it.rooms[0].end()
        await asyncio.sleep(5)
        assert [room.token for room in it.rooms] == ["room0", "room1", "room2"]


async def test_a_language_that_is_gone(world: Callable[..., Any]) -> None:
    """A room that the engine of now does not understand is given up, the others begin."""
    rooms = [WantedRoom(RoomToken("room1"), "xx"), *found(1)]
    async with world(rooms) as it, taking_up(it) as task:
        await task

        assert [room.token for room in it.rooms] == ["room0"]
        assert it.wanted == ["room0"]


async def test_requests_for_rooms_that_are_not_taken_up_yet(world: Callable[..., Any]) -> None:
    """Starting one starts it now, as asked for now; stopping one is a stop like any other."""
    async with world(found(3)) as it:
        await it.enable("room0")
        await it.disable("room1")
        async with taking_up(it) as task:
            await task

        assert [room.token for room in it.rooms] == ["room0", "room2"]
        assert await it.rooms[0].options.speakers.reception.ice_servers() == ()
        assert sorted(it.wanted) == ["room0", "room2"]


async def test_stopping_before_all_are_taken_up(world: Callable[..., Any]) -> None:
    """Those that wait stay wanted, none begins any more, and nothing waits for them."""
    async with world(found(12)) as it, taking_up(it) as task:
        await asyncio.sleep(module.TAKE_UP_EVERY_S / 2)
        await it.manager.drain(10)
        async with asyncio.timeout(2 * module.TAKE_UP_EVERY_S):
            await task

        assert len(it.rooms) == TAKE_UP
    assert len(it.wanted) == 12


ANNA, BEN = TalkSessionId("anna"), TalkSessionId("ben")
ROOM = RoomToken("room1")


async def test_readers_are_kept_over_a_restart(world: Callable[..., Any]) -> None:
    """Who asked and how, and what is spoken, as it was last."""
    async with world(engine=TWO_LANGUAGES) as it:
        await it.manager.add_reader(ROOM, ANNA, Wish("replace"))
        await it.manager.add_reader(ROOM, BEN, Wish())
        await it.manager.set_language(ROOM, "fr")
        await it.manager.remove_reader(ROOM, ANNA)
        kept = decode(encode(it.kept[-1]))
    assert kept == (WantedRoom(ROOM, "fr", everybody=False, readers={BEN: Wish()}),)

    async with world(kept, engine=TWO_LANGUAGES) as it, taking_up(it) as task:
        await task
        assert it.rooms[0].readers.wishes == {BEN: Wish()}
        assert (it.rooms[0].readers.everybody, it.rooms[0].language) == (False, "fr")


async def test_a_room_for_readers_becomes_one_for_everybody(world: Callable[..., Any]) -> None:
    """And those who asked keep what they asked for."""
    async with world() as it:
        await it.manager.add_reader(ROOM, ANNA, Wish("replace"))
        assert not await it.manager.enable(ROOM)

        assert it.rooms[0].readers.everybody
        assert it.kept[-1][0].everybody
        assert it.kept[-1][0].readers == {ANNA: Wish("replace")}


@pytest.mark.parametrize("is_left", [False, True])
async def test_who_withdraws_from_a_room_that_does_not_run_is_not_asked_for_again(
    world: Callable[..., Any], *, is_left: bool
) -> None:
    """Neither where it is just being left, nor where it waits to be taken up."""
    kept = WantedRoom(ROOM, "en", SERVERS, everybody=False, readers={ANNA: Wish(), BEN: Wish()})
    async with world([kept]) as it:
        if is_left:
            await it.manager.add_reader(ROOM, ANNA, Wish())
            it.rooms[0].stop("the call ended")
        await it.manager.remove_reader(ROOM, ANNA)
        with pytest.raises(NotFoundError):
            await it.manager.remove_reader(ROOM, ANNA)
        assert await it.manager.add_reader(ROOM, BEN, Wish("replace"))

        assert it.rooms[-1].readers.wishes == {BEN: Wish("replace")}
        assert it.wanted == [ROOM]


async def test_a_room_that_waits_is_begun_as_it_was(world: Callable[..., Any]) -> None:
    """Somebody who asks without a language does not change it, nor the servers."""
    kept = WantedRoom(ROOM, "en", SERVERS)
    async with world([kept], engine=TWO_LANGUAGES) as it:
        await it.manager.set_language(ROOM, "fr")
        await it.manager.add_reader(ROOM, ANNA, Wish())

        assert it.rooms[0].language == "fr"
        assert it.rooms[0].readers.everybody
        assert await it.rooms[0].options.speakers.reception.ice_servers() == SERVERS
        await it.manager.disable(ROOM)
        await it.manager.add_reader(ROOM, ANNA, Wish())
        assert (it.rooms[1].language, it.rooms[1].readers.everybody) == ("en", False)


async def test_too_many_readers(world: Callable[..., Any]) -> None:
    """Of those who are not in the call the first go; where all are, nobody else is taken."""
    async with world() as it:
        for number in range(MOST_READERS):
            await it.manager.add_reader(ROOM, TalkSessionId(f"talk-{number}"), Wish())
        it.rooms[0].here = frozenset({TalkSessionId("talk-0")})
        await it.manager.add_reader(ROOM, ANNA, Wish())

        wishes = it.rooms[0].readers.wishes
        assert len(wishes) == MOST_READERS
        assert "talk-0" in wishes
        assert "talk-1" not in wishes
        it.rooms[0].here = frozenset(wishes)
        with pytest.raises(BusyError):
            await it.manager.add_reader(ROOM, BEN, Wish())
        await it.manager.add_reader(ROOM, ANNA, Wish("replace"))


async def test_a_translator_that_is_not_there(world: Callable[..., Any]) -> None:
    """Nobody is promised a translation, and nothing is begun."""
    async with world() as it:
        with pytest.raises(TranslationUnavailableError):
            await it.manager.add_reader(ROOM, ANNA, Wish(target="fr"))
        assert it.rooms == []
        await it.manager.add_reader(ROOM, ANNA, Wish())
        with pytest.raises(TranslationUnavailableError):
            await it.manager.set_target(ROOM, ANNA, "fr")
        await it.manager.set_target(ROOM, ANNA, None)
        with pytest.raises(NotAReaderError):
            await it.manager.set_target(ROOM, BEN, None)


KEYS = '[{"name": "a", "key": "%s", "max_rooms": 2, "max_speakers": 3}]' % ("k" * 40)


async def test_rooms_of_one_key_are_limited(world: Callable[..., Any]) -> None:
    """In number, freed when one ends, and never for a room that is the key's already."""
    async with world(LT_API_KEYS=KEYS) as it:
        for token in ("room1", "room2"):
            await it.manager.enable(RoomToken(token), owner="a")
        await asyncio.sleep(0)
        with pytest.raises(QuotaError) as caught:
            await it.manager.add_reader(RoomToken("room3"), ANNA, Wish(), owner="a")
        assert caught.value.retry_in_s > 0
        assert not await it.manager.add_reader(RoomToken("room1"), ANNA, Wish(), owner="a")
        await it.manager.enable(RoomToken("room4"), owner="b")
        it.rooms[0].stop("the call ended")
        assert await it.manager.add_reader(RoomToken("room1"), ANNA, Wish(), owner="a")
        await it.disable("room2")
        assert await it.manager.enable(RoomToken("room3"), owner="a")


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [({"LT_API_KEYS": KEYS}, QuotaError), ({"LT_MAX_ROOMS": 2}, BusyError)],
)
async def test_whoever_begins_and_ends_rooms_in_turn_is_limited(
    world: Callable[..., Any], settings: dict[str, Any], refusal: type[Exception]
) -> None:
    """Rooms that end are on the signaling server for some seconds more."""
    async with world(**settings) as it:
        for _ in range(3):
            await it.manager.enable(ROOM, owner="a")
            await asyncio.sleep(0)
            await it.manager.disable(ROOM)
        with pytest.raises(refusal):
            await it.manager.enable(ROOM, owner="a")
        assert len(it.rooms) == 3
        await asyncio.sleep(LAST_WORDS_S + 0.1)
        assert await it.manager.enable(ROOM, owner="a")


async def test_speakers_of_one_key_are_limited(world: Callable[..., Any]) -> None:
    """Over all rooms of the key; those of others are not counted."""
    async with world(LT_API_KEYS=KEYS) as it:
        for token, owner in (("room1", "a"), ("room2", "a"), ("room3", "")):
            await it.manager.enable(RoomToken(token), owner=owner)
        one, two, other = it.rooms
        one.speaker_count, two.speaker_count, other.speaker_count = 1, 1, 50
        assert one.may_listen()
        assert two.may_listen()
        two.speaker_count = 2

        assert not one.may_listen()
        assert not two.may_listen()
        assert other.may_listen()
        await it.disable("room1")
        with_room = it.manager.enable(RoomToken("room4"), owner="a")
        assert await with_room
        two.speaker_count = 3
        await it.disable("room4")
        with pytest.raises(QuotaError):
            await it.manager.enable(RoomToken("room4"), owner="a")


async def test_limits_of_the_process(world: Callable[..., Any]) -> None:
    """Where there are rooms enough no other begins, and those there are go on to hear."""
    async with world() as it:
        await it.enable("room1")
        it.full.append("1 of 1 rooms of all backends")

        assert it.rooms[0].may_listen()
        assert it.manager.health().reasons == ()
        with pytest.raises(BusyError, match="of all backends"):
            await it.enable("room2")
        it.hears_more = False
        assert not it.rooms[0].may_listen()


async def test_what_is_kept_is_noted_and_holds_after_a_restart(world: Callable[..., Any]) -> None:
    """The room is begun with it, again too; where nothing is said, settings decide.

    Spec: transcripts-of-calls/What is kept.
    """
    said = Keeping(words=False)
    async with world(LT_TRANSCRIPTS="on") as it:
        await it.enable("room1")
        await it.manager.enable(RoomToken("room2"), "en", (), keeping=said)
        assert [room.options.scribe.kept.words for room in it.rooms] == [True, False]
        kept = it.kept[-1]
    assert [room.keeping for room in kept] == [AS_SET, said]

    async with world(kept, LT_TRANSCRIPTS="on") as it:
        await it.manager.take_up()
        assert [room.options.scribe.kept.words for room in it.rooms] == [True, False]


async def test_what_cannot_be_kept_begins_no_room(world: Callable[..., Any]) -> None:
    """There is no store here. Spec: transcripts-of-calls/What is kept."""
    async with world() as it:
        with pytest.raises(RequestError, match="LT_DATA_DIR"):
            await it.manager.enable(RoomToken("room1"), "en", (), keeping=Keeping(words=True))
        assert it.rooms == []
        await it.enable("room1")
        with pytest.raises(RequestError, match="LT_AUDIO"):
            await it.manager.enable(RoomToken("room1"), "en", (), keeping=Keeping(audio=True))
        assert it.kept[-1][0].keeping == AS_SET
