"""Several Nextclouds in one process, each with its signaling server.

Spec: readers/Several Nextclouds
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from livebot.backends import Backends
from livebot.errors import BusyError, ConfigError, NotFoundError
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.overload import Overload
from livebot.rooms.readers import Wish
from livebot.rooms.state import FILE
from livebot.rooms.status import HealthStatus, RoomState
from livebot.settings import load_settings
from livebot.stt import registry
from tests.support import wire
from tests.support.scripted_engine import ScriptedEngine, words
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.sender import loopback_only, sender
from tests.support.waiting import until

ROOM = wire.ROOM
ANNA = TalkSessionId("anna")
BOT = ("bot-1", 1, True)


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


@dataclass(slots=True)
class World:
    """Two servers, and the rooms of both."""

    backends: Backends
    servers: Mapping[str, ScriptedServer]
    metrics: Metrics
    engines: list[ScriptedEngine] = field(default_factory=list)

    def figure(self, name: str) -> float | None:
        """Return a metric."""
        return self.metrics.registry.get_sample_value(name)

    async def start(self, *names: str) -> None:
        """Begin a room of the same token in these backends."""
        for name in names:
            assert await self.backends.rooms[name].enable(ROOM)
            await self.servers[name].wait_for("room")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return how to open a world."""

    @asynccontextmanager
    async def opened(
        one: Mapping[str, object] | None = None,
        two: Mapping[str, object] | None = None,
        **top: Any,
    ) -> AsyncIterator[World]:
        engines: list[ScriptedEngine] = []

        def load(_name: str, _options: object) -> ScriptedEngine:
            engines.append(ScriptedEngine())
            return engines[-1]

        monkeypatch.setattr(registry, "load", load)
        async with scripted_server() as first, scripted_server() as second:
            servers = {"one": first, "two": second}
            own = {"one": one or {}, "two": two or {}}
            given = [
                {"name": name, "LT_HPB_URL": servers[name].url, **own[name]} for name in servers
            ]
            top = {"internal_secret": "s", "nextcloud_url": "http://nc", **top}
            settings = await asyncio.to_thread(lambda: load_settings(backends=given, **top))
            metrics = Metrics()
            overload = Overload(max_lag_s=10.0, max_memory_mb=0.0)
            async with Backends(settings, metrics, overload) as backends:
                try:
                    yield World(backends, servers, metrics, engines)
                finally:
                    await backends.drain(10.0)

    return opened


async def test_the_same_token_is_another_room_in_each(world: Callable[..., Any]) -> None:
    """What is said in one reaches nobody of the other, and each is stopped by itself."""
    async with world() as it:
        await it.start("one", "two")
        one, two = it.servers["one"], it.servers["two"]
        for server in (one, two):
            await server.send(wire.call(BOT, ("speaker", 3, False), ("reader", 1, False)))
        await one.wait_for("requestoffer")
        async with sender() as source:
            await one.send(wire.offer("speaker", "7", await source.offer()))
            answer = await one.wait_for("answer")
            await source.accept(answer["message"]["data"]["payload"]["sdp"])
            (await it.engines[0].stream()).say(*words("secret plans."))
            await one.wait_for("transcript", count=2)
            with pytest.raises(NotFoundError):
                await it.backends.rooms["two"].remove_reader(ROOM, ANNA)
            await it.backends.rooms["one"].disable(ROOM)
            await one.wait_for("bye")

        assert two.of("transcript") == []
        assert two.of("bye") == []
        assert [room.state for room in it.backends.rooms["two"].rooms()] == [RoomState.JOINED]
        assert it.backends.rooms["one"].rooms() == []


async def test_one_that_is_away_is_no_trouble_of_the_other(world: Callable[..., Any]) -> None:
    """A wrong secret of one is told to whoever asks it, and to nobody else."""
    async with world() as it:
        it.servers["one"].hello_error = "invalid_token"
        await it.backends.rooms["one"].enable(ROOM)
        await it.start("two")
        await until(lambda: it.backends.rooms["one"].health().status is HealthStatus.DEGRADED)

        assert it.backends.rooms["two"].health().status is HealthStatus.HEALTHY
        assert it.backends.rooms["two"].health().rooms == 1


@pytest.mark.parametrize(("own", "engines"), [({}, 1), ({"LT_STT_SESSION_SECONDS": 60}, 2)])
async def test_engines_of_the_same_options_are_shared(
    world: Callable[..., Any], own: Mapping[str, object], engines: int
) -> None:
    """A model is loaded once; whoever wants it otherwise has its own."""
    async with world(two=own, engine="kyutai", stt_stream_url="wss://stt.example") as it:
        assert len(it.engines) == engines


async def test_each_keeps_its_rooms_in_a_folder_of_its_own(
    world: Callable[..., Any], tmp_path: Path
) -> None:
    """And takes up those, after a restart."""
    other = RoomToken("other1")
    async with world(state_dir=tmp_path) as it:
        await it.start("one")
        await it.backends.rooms["two"].add_reader(other, ANNA, Wish("replace"))
    found = await asyncio.to_thread(lambda: sorted(tmp_path.rglob(FILE)))
    assert found == [tmp_path / "one" / FILE, tmp_path / "two" / FILE]

    async with world(state_dir=tmp_path) as it:
        async with asyncio.timeout(10):
            await it.backends.take_up()
        rooms = {name: it.backends.rooms[name].rooms() for name in it.servers}
        assert {name: [room.token for room in found] for name, found in rooms.items()} == {
            "one": [ROOM],
            "two": [other],
        }


async def test_the_limits_of_the_process_are_for_all(world: Callable[..., Any]) -> None:
    """Rooms of both are counted together, and speakers are heard while there is room for them."""
    async with world({"LT_MAX_ROOMS": 5}, {"LT_MAX_ROOMS": 5}, max_rooms=2, max_speakers=3) as it:
        await it.start("one", "two")
        for name in it.servers:
            with pytest.raises(BusyError, match="2 of 2 rooms of all backends"):
                await it.backends.rooms[name].enable(RoomToken("room9"))
        people = [(f"p{number}", 3, False) for number in range(4)]
        await it.servers["one"].send(wire.call(BOT, *people[:2]))
        await until(lambda: it.backends.rooms["one"].speaker_count == 2)
        await it.servers["two"].send(wire.call(BOT, *people))
        await until(lambda: it.backends.rooms["two"].speaker_count == 1)

        assert "3 speakers too many" in " ".join(it.backends.rooms["two"].health().reasons)
        assert it.figure("transcription_rooms_active") == 2
        assert it.figure("transcription_speakers_active") == 3
        await it.backends.rooms["one"].disable(ROOM)
        await it.servers["one"].wait_for("bye")
        assert await it.backends.rooms["two"].enable(RoomToken("room9"))


async def test_a_limit_of_one_is_its_own(world: Callable[..., Any]) -> None:
    """One that is full keeps nobody from the other."""
    async with world({"LT_MAX_ROOMS": 1}, max_rooms=9) as it:
        await it.start("one", "two")
        with pytest.raises(BusyError, match="1 of 1 rooms"):
            await it.backends.rooms["one"].enable(RoomToken("room9"))

        assert await it.backends.rooms["two"].enable(RoomToken("room9"))


async def test_a_default_language_that_nobody_understands(world: Callable[..., Any]) -> None:
    """Is told before the service listens, whichever backend has it."""
    with pytest.raises(ConfigError, match="LT_DEFAULT_LANGUAGE is fr"):
        async with world(two={"LT_DEFAULT_LANGUAGE": "fr"}):
            pass
