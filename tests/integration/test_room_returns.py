"""Rooms that were left against their will: what is kept, and what readers are told."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from livebot.captions import notice
from livebot.ids import RoomToken
from livebot.rooms import room
from livebot.rooms.status import RoomState
from tests.integration.test_rooms import ALICE, BOB, BOT, World, world
from tests.support import wire
from tests.support.scripted_engine import words
from tests.support.sender import loopback_only
from tests.support.waiting import until

BREAKOUT = RoomToken("breakout1")


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


async def forget_us(it: World) -> None:
    """Let the server lose all sessions, as one that is restarted does."""
    it.server.resumable = False
    await it.server.drop()
    await it.server.wait_for("room", count=2)
    await it.wait_for_room(RoomState.JOINED)


async def test_an_empty_room_after_a_restart_is_not_left_at_once() -> None:
    """Everybody is away then, and comes back."""
    async with world(empty_room_s=1) as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.server.wait_for("requestoffer")
        await forget_us(it)
        await it.server.send(wire.call(("bot-2", 1, True)))
        with pytest.raises(TimeoutError):
            await it.server.wait_for("bye", deadline_s=2.0)
        await it.server.send(wire.call(("alice-2", 3, False)))
        await it.server.wait_for("requestoffer", count=2)

        # From then on it is a room like any other.
        await it.server.send(wire.call(("alice-2", 0, False)))
        await it.server.wait_for("bye")


async def test_the_first_words_after_a_restart_tell_of_those_that_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Readers learn how long nobody listened, in the name of somebody who is there."""
    monkeypatch.setattr(notice, "NOTICE_S", 0.1)
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 1, False))
        await it.publish(ALICE)
        (await it.engine.stream()).say(*words("before."))
        await it.server.wait_for("transcript", count=2)
        await forget_us(it)
        back = ("alice-2", 3, False), ("bob-2", 1, False)
        await it.server.send(wire.call(("bot-2", 1, True), *back))
        await it.publish("alice-2", sid="9", request=2)
        (await it.engine.stream(1)).say(*words("after."))
        await it.server.wait_for("transcript", count=6)

        told = [
            (data["speakerSessionId"], data["message"])
            for reader, data in it.transcripts()
            if reader == "bob-2"
        ]
        assert [speaker for speaker, _ in told] == ["alice-2", "alice-2"]
        assert told[0][1].startswith("[captions interrupted")
        assert told[1][1] == "after."
        gaps = it.manager.rooms()[0].gaps
        assert gaps[-1].cause == "signaling"


async def test_a_call_that_moves_to_another_room_is_followed() -> None:
    """Those of the new room are listened to and get the captions; nobody else is."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        moved = {"target": "room", "type": "switchto", "switchto": {"roomid": BREAKOUT}}
        await it.server.send(json.dumps({"type": "event", "event": moved}))
        asked = await it.server.wait_for("room", count=2)
        assert asked["room"]["roomid"] == BREAKOUT
        await until(lambda: stream.is_finished)
        await it.call((BOB, 3, False))
        await it.publish(BOB, sid="9", request=2)
        (await it.engine.stream(1)).say(*words("here."))
        sent = await it.server.wait_for("transcript")
        assert sent["message"]["recipient"]["sessionid"] == BOB

        # Also as a new session: back to where the call is now.
        it.server.resumable = False
        await it.server.drop()
        asked = await it.server.wait_for("room", count=3)
        assert asked["room"]["roomid"] == BREAKOUT
        await it.manager.disable(wire.ROOM)


async def test_a_room_that_is_being_left_is_so_over_a_lost_connection() -> None:
    """Whoever asks for it meanwhile gets it anew, instead of one that is about to end."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        (await it.engine.stream()).never_ends = True
        ended = {"roomid": wire.ROOM, "incall": 0, "all": True}
        await it.server.send(wire.event("participants", "update", **ended))
        await it.wait_for_room(RoomState.LEAVING)
        with capture_logs() as logged:
            await it.server.drop()
            await until(lambda: "room_resumed" in [line["event"] for line in logged])

        assert await it.manager.enable(wire.ROOM, "en", ())


async def test_who_is_left_without_last_words_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call goes on, and an engine that is late did not say them in time."""
    monkeypatch.setattr(notice, "NOTICE_S", 0.1)
    monkeypatch.setattr(room, "LAST_WORDS_S", 0.5)
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 1, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        stream.never_ends = True
        await until(lambda: stream.seconds > 2)
        await it.manager.disable(wire.ROOM)
        await it.server.wait_for("bye")

        (text,) = {data["message"] for _, data in it.transcripts()}
        assert text.startswith("[captions interrupted")


async def test_speakers_too_many_are_listened_to_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where nothing happens in their own room."""
    monkeypatch.setattr(room, "LOOK_EVERY_S", 0.1)
    async with world(max_speakers=1) as it:
        await it.start()
        await it.call((ALICE, 3, False), (BOB, 3, False))
        await until(lambda: bool(it.manager.rooms()[0].speakers))
        (heard,) = it.manager.rooms()[0].speakers
        others = {ALICE, BOB} - {heard.session}
        admission = it.manager._directory.admission
        admission._settings = admission._settings.model_copy(update={"max_speakers": 2})

        await until(lambda: len(it.manager.rooms()[0].speakers) == 2)
        assert others < {speaker.session for speaker in it.manager.rooms()[0].speakers}
        assert it.manager.health().reasons == ()


async def test_who_leaves_before_we_know_who_is_here_ends_nobody_else() -> None:
    """As a new session we are told first who came and went, and only then who is in the call."""
    async with world() as it:
        await it.start()
        await it.call((ALICE, 3, False))
        await it.publish(ALICE)
        stream = await it.engine.stream()
        await forget_us(it)
        gone = {"target": "room", "type": "leave", "leave": [BOB]}
        await it.server.send(json.dumps({"type": "event", "event": gone}))
        await it.server.send(wire.call(BOT, (ALICE, 3, False)))
        await it.server.wait_for("requestoffer", count=2)

        assert not stream.is_finished
