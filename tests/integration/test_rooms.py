"""Rooms over real sockets and real media, with an engine that hears what the test says.

Spec: room-control/Start and stop, audio-ingest/Speakers are received over WebRTC,
caption-delivery/Captions go to the people in the call
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from livebot.errors import BusyError, EngineError, NotFoundError, UnsupportedLanguageError
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.manager import RoomManager
from livebot.rooms.status import HealthStatus, RoomState
from livebot.rooms.watchdog import PATH_DEAD_S
from livebot.settings import load_settings
from tests.support import wire
from tests.support.scripted_engine import ScriptedEngine, words
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.sender import Sender, loopback_only, sender
from tests.support.waiting import until

ALICE, BOB = SessionId("alice"), SessionId("bob")
BOT = ("bot-1", 1, True)


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


@dataclass(slots=True)
class World:
    """A server, a manager and an engine; senders are opened as speakers are asked for."""

    server: ScriptedServer
    manager: RoomManager
    engine: ScriptedEngine
    metrics: Metrics
    senders: dict[str, Sender] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Enable the room and wait until the bot is in it."""
        assert await self.manager.enable(wire.ROOM, "en", ())
        await self.server.wait_for("room")

    async def call(self, *users: tuple[str, int, bool]) -> None:
        """Say who is in the call."""
        await self.server.send(wire.call(BOT, *users))

    async def publish(self, speaker: str, sid: str = "7", request: int = 1) -> Sender:
        """Answer the bot's request for a speaker with real media."""
        await self.server.wait_for("requestoffer", count=request)
        source = await self.stack.enter_async_context(sender())
        await self.server.send(wire.offer(speaker, sid, await source.offer()))
        answer = await self.server.wait_for("answer", count=request)
        await source.accept(answer["message"]["data"]["payload"]["sdp"])
        return source

    async def wait_for_room(self, state: RoomState | None) -> None:
        """Wait until the room is in a state; None: until it is gone."""
        await until(
            lambda: [room.state for room in self.manager.rooms()] == ([state] if state else [])
        )

    def transcripts(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was sent so far: reader and data."""
        return [
            (m["message"]["recipient"]["sessionid"], m["message"]["data"])
            for m in self.server.of("transcript")
        ]


@asynccontextmanager
async def world(**settings: object) -> AsyncIterator[World]:
    """Open everything; at the end the manager drains as on SIGTERM."""
    async with scripted_server() as server:
        metrics, engine = Metrics(), ScriptedEngine()
        given: dict[str, Any] = {
            "hpb_url": server.url,
            "internal_secret": "s",
            "nextcloud_url": "http://nc",
        }
        loaded = await asyncio.to_thread(lambda: load_settings(**(given | settings)))
        async with RoomManager(loaded, engine=engine, metrics=metrics) as manager:
            made = World(server, manager, engine, metrics)
            async with made.stack:
                yield made
                await manager.drain(10)


async def test_a_speakers_words_reach_everybody_in_the_call() -> None:
    """Audio in, words out, one message per person in the call and none to the bot."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 1, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        stream.say(*words("hello there."))
        await it.server.wait_for("transcript", count=2)

        sent = it.transcripts()
        assert {reader for reader, _ in sent} == {ALICE, BOB}
        for _, data in sent:
            assert data["speakerSessionId"] == ALICE
            assert (data["message"], data["final"], data["langId"]) == ("hello there.", True, "en")
            assert data["start"] < data["end"]
        assert it.metrics.registry.get_sample_value("transcription_first_audio_seconds_count") == 1
        assert it.manager.rooms()[0].speakers[0].media == "receiving"


async def test_the_same_room_is_started_once() -> None:
    """A second start says that it runs already."""
    async with world() as it:
        await it.start()

        assert not await it.manager.enable(wire.ROOM, "en", ())
        assert len(it.manager.rooms()) == 1


async def test_an_unknown_language_or_room_is_said_so() -> None:
    """Nothing is started, nothing is stopped."""
    async with world() as it:
        with pytest.raises(UnsupportedLanguageError) as refused:
            await it.manager.enable(wire.ROOM, "xx", ())
        with pytest.raises(NotFoundError):
            await it.manager.disable(wire.ROOM)

        assert refused.value.supported == ["en"]
        assert it.manager.rooms() == []


async def test_stopping_brings_the_last_words() -> None:
    """DELETE in mid-sentence: the engine finishes, its last words are sent, then bye."""
    async with world() as it:
        it.engine.on_open = lambda stream: setattr(stream, "last_words", tuple(words("the end")))
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        await it.engine.stream()
        await it.manager.disable(wire.ROOM)
        await it.server.wait_for("bye")

        assert [data["message"] for _, data in it.transcripts()] == ["the end"]
        kinds = [m["type"] for m in it.server.received]
        assert kinds.index("bye") == len(kinds) - 1


async def test_the_room_is_left_when_the_call_ends() -> None:
    """`all` with `incall` 0 ends it for the bot too."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 1, False))
        update = '{"roomid":"room1","incall":0,"all":true}'
        await it.server.send(
            f'{{"type":"event","event":{{"target":"participants","type":"update","update":{update}}}}}'
        )
        await it.server.wait_for("bye")
        await it.wait_for_room(None)


async def test_the_room_is_left_when_only_bots_remain() -> None:
    """Other bots do not count as people; people coming back in time do."""
    async with world(empty_room_s=1) as it:
        await it.start()
        await it.call((ALICE, 1, False), ("other-bot", 1, True))
        await it.wait_for_room(RoomState.JOINED)
        await it.call((ALICE, 0, False), ("other-bot", 1, True))
        await it.call((ALICE, 1, False), ("other-bot", 1, True))
        await asyncio.sleep(1.2)
        assert it.manager.rooms()
        await it.call((ALICE, 0, False), ("other-bot", 1, True))
        await it.server.wait_for("bye")
        await it.wait_for_room(None)


async def test_a_speaker_who_leaves_is_let_go() -> None:
    """Their stream is finished, their peer closed; the others stay."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 3, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        await it.call((ALICE, 0, False), (BOB, 3, False))
        await until(lambda: stream.is_finished)

        assert [speaker.session for speaker in it.manager.rooms()[0].speakers] == [BOB]


async def test_a_speaker_who_is_gone_before_anything_began_holds_up_nothing() -> None:
    """Coming and going in one burst of messages leaves nothing that would wait for ever."""
    async with world() as it:
        await it.start()
        for flags in (3, 0, 3, 0):
            await it.call((ALICE, flags, False))
        await it.manager.disable(wire.ROOM)

        await it.server.wait_for("bye", deadline_s=2)


async def test_a_lost_peer_is_asked_for_again() -> None:
    """The media server went away: another request, another peer, the audio goes on."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        source = await it.publish(ALICE)
        stream = await it.engine.stream()
        await source.pc.close()
        await it.publish(ALICE, sid="8", request=2)
        heard = stream.seconds
        await until(lambda: stream.seconds > heard + 0.5)


async def test_a_broken_offer_harms_nobody_else() -> None:
    """One speaker's nonsense is counted and asked for again; the other is heard."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 3, False))
        await it.server.wait_for("requestoffer", count=2)
        await it.server.send(wire.offer(ALICE, "1", "nonsense"))
        async with sender() as source:
            await it.server.send(wire.offer(BOB, "2", await source.offer()))
            answer = await it.server.wait_for("answer")
            await source.accept(answer["message"]["data"]["payload"]["sdp"])
            await it.engine.stream()
            await it.server.wait_for("requestoffer", count=3)

        by_name = {s.session: s for s in it.manager.rooms()[0].speakers}
        assert by_name[ALICE].last_error
        assert not by_name[BOB].last_error


async def test_a_broken_candidate_costs_nothing_but_itself() -> None:
    """Those before and after it are used all the same."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.server.wait_for("requestoffer")
        source = await it.stack.enter_async_context(sender())
        await it.server.send(wire.offer(ALICE, "7", await source.offer()))
        await it.server.send(wire.candidate(ALICE, "7", "candidate:nonsense"))
        answer = await it.server.wait_for("answer")
        await source.accept(answer["message"]["data"]["payload"]["sdp"])
        await it.engine.stream()

        assert "candidate" in (it.manager.rooms()[0].speakers[0].last_error or "")
        assert len(it.server.of("answer")) == 1


async def test_no_way_to_the_media_server_is_on_the_health_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The administrator sees that TURN does not work, until it does."""
    monkeypatch.setattr("livebot.rooms.reception.CONNECT_TIMEOUT_S", 0.3)
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.server.wait_for("requestoffer")
        async with sender() as unreachable:
            offer = await unreachable.offer()
        await it.server.send(wire.offer(ALICE, "7", offer))
        await until(lambda: "check TURN" in " ".join(it.manager.health().reasons))
        monkeypatch.undo()
        with loopback_only():
            await it.publish(ALICE, sid="8", request=2)
            await it.engine.stream()

        assert it.manager.health().reasons == ()


async def test_too_many_speakers_are_told_once() -> None:
    """A call of thousands is captioned up to the limit, and the log has one line about it."""
    users = [(f"user-{number}", 3, False) for number in range(500)]
    async with world(max_speakers=2) as it:
        await it.start()
        with capture_logs() as logged:
            await it.call(*users)
            await it.call(*users)
            await until(lambda: len(it.manager.rooms()[0].speakers) == 2)

        assert [line["unheard"] for line in logged if line["event"] == "speakers_refused"] == [498]
        assert it.manager.health().reasons == ("room ro…: 498 speakers too many",)


async def test_after_an_expired_session_the_speakers_are_asked_for_anew() -> None:
    """A new session of ours has no subscriptions; the first update brings them back."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        await it.engine.stream()
        it.server.resumable = False
        await it.server.drop()
        await it.server.wait_for("room", count=2)
        await it.server.send(wire.call(("bot-2", 1, True), (ALICE, 3, False)))

        await it.publish(ALICE, sid="9", request=2)


async def test_captions_of_an_outage_go_to_those_who_are_there_after_it() -> None:
    """A new session knows nobody at first: what waits is neither lost nor sent to who left."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 1, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        it.server.resumable = False
        await it.server.drop()
        stream.say(*words("one."), *words("two."), *words("three."))
        await it.server.wait_for("room", count=2)
        await it.wait_for_room(RoomState.JOINED)
        await it.server.send(wire.call(("bot-2", 1, True), (ALICE, 3, False)))
        await it.server.wait_for("transcript", count=3, deadline_s=15)

        sent = [(reader, data["message"]) for reader, data in it.transcripts()]
        assert sent == [(ALICE, "one."), (ALICE, "two."), (ALICE, "three.")]


async def test_a_wrong_secret_is_shown_and_not_repeated() -> None:
    """The room ends, stays visible as failed, and health says why."""
    async with world() as it:
        it.server.hello_error = "invalid_token"
        await it.manager.enable(wire.ROOM, "en", ())
        await it.wait_for_room(RoomState.FAILED)

        health = it.manager.health()
        assert health.status is HealthStatus.DEGRADED
        assert "invalid_token" in health.reasons[0]
        assert len(it.server.of("hello")) == 1


async def test_an_engine_that_fails_is_a_reason_on_the_health_page() -> None:
    """Captions that stop say why, and the reason goes when they come back."""
    async with world() as it:
        it.engine.refusals = [EngineError("no free channels")] * 2
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        await until(lambda: it.manager.health().reasons == ("room ro…: no free channels",))
        assert it.manager.health().status is HealthStatus.DEGRADED
        await it.engine.stream()

        await until(lambda: it.manager.health().status is HealthStatus.HEALTHY)


async def test_a_full_service_refuses_new_rooms() -> None:
    """Those that run keep running."""
    async with world(max_rooms=1) as it:
        await it.start()

        with pytest.raises(BusyError):
            await it.manager.enable(type(wire.ROOM)("room2"), "en", ())
        assert it.manager.obstacles == ["1 of 1 rooms"]
        assert len(it.manager.rooms()) == 1


def cut(source: Sender) -> Callable[[], None]:
    """Let nothing of a sender through, as where a media server was killed; return the cure."""
    dtls = source.pc.getTransceivers()[0].sender.transport
    sockets = [protocol.transport for protocol in dtls.transport._connection._protocols]
    for socket in sockets:
        socket.sendto = lambda *_: None  # type: ignore[method-assign]

    def heal() -> None:
        for socket in sockets:
            del socket.sendto

    return heal


async def test_a_dead_path_is_noticed_and_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes any more and nobody says so: shown, counted, and over when audio is back."""
    monkeypatch.setattr("livebot.rooms.watchdog.PATH_LOST_S", 1.0)
    monkeypatch.setattr("livebot.rooms.outage.NOTICE_S", 1.0)
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        source = await it.publish(ALICE)
        await it.engine.stream()
        heal = cut(source)
        await until(lambda: "the connection is dead" in " ".join(it.manager.health().reasons))
        assert it.manager.rooms()[0].speakers[0].media == "lost"
        assert it.metrics.stalls.labels("media")._value.get() == 1
        heal()
        await until(lambda: it.manager.health().reasons == ())

        assert it.manager.rooms()[0].speakers[0].media == "receiving"
        assert it.metrics.gap_seconds.labels("media")._value.get() > 1.0
        assert len(it.server.of("requestoffer")) == 1


async def test_a_microphone_that_is_switched_off_is_no_fault() -> None:
    """The path lives on reports and checks alone, for longer than a dead one is waited for."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        source = await it.publish(ALICE)
        await it.engine.stream()
        source.pc.getSenders()[0].replaceTrack(None)
        await until(lambda: it.manager.rooms()[0].speakers[0].media == "silent")
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + PATH_DEAD_S:
            await asyncio.sleep(0.5)
            (speaker,) = it.manager.rooms()[0].speakers
            assert (speaker.media, speaker.last_error) == ("silent", None)

        assert it.manager.health().reasons == ()
        assert it.metrics.gap_seconds.labels("media")._value.get() == 0
