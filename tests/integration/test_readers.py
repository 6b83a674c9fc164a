"""Readers over real sockets and real media: who asked, and nobody else.

Spec: readers/Who reads, readers/History, readers/Grace, readers/Language
"""

from collections.abc import Iterator

import pytest

from livebot.errors import NotAReaderError, NotFoundError
from livebot.ids import TalkSessionId
from livebot.rooms.readers import Wish
from tests.integration.test_rooms import ALICE, BOB, BOT, World, world
from tests.support import wire
from tests.support.scripted_engine import words
from tests.support.sender import loopback_only
from tests.support.waiting import until

ANNA, BEN, OUTSIDE = (TalkSessionId(f"talk-of-{name}") for name in ("alice", "bob", "outsider"))
IN_CALL, WITH_AUDIO = 1, 3


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


async def call(it: World, **people: int) -> None:
    """Say who is in the call, with the sessions that Talk knows them by."""
    users = [
        {"sessionId": name, "inCall": flags, "nextcloudSessionId": f"talk-of-{name}"}
        for name, flags in people.items()
    ]
    bot = {"sessionId": BOT[0], "inCall": 1, "internal": True}
    await it.server.send(wire.event("participants", "update", users=[bot, *users]))


def read_by(it: World, session: str) -> list[tuple[str, bool]]:
    """Return what somebody has read: final texts, and whether they are history."""
    return [
        (data["message"], data.get("history", False))
        for reader, data in it.transcripts()
        if reader == session and data["final"]
    ]


async def test_each_reads_what_it_asked_for() -> None:
    """One asks, later a second, then the first stops; who is elsewhere or silent gets nothing."""
    async with world() as it:
        for who in (ANNA, OUTSIDE):
            await it.manager.add_reader(wire.ROOM, who, Wish())
        await it.server.wait_for("room")
        await call(it, alice=WITH_AUDIO, bob=IN_CALL, carol=IN_CALL)
        await it.publish(ALICE)
        stream = await it.engine.stream()
        stream.say(*words("one."))
        await until(lambda: read_by(it, ALICE) == [("one.", False)])
        await it.manager.add_reader(wire.ROOM, BEN, Wish("replace"))
        await until(lambda: read_by(it, BOB) == [("one.", True)])
        stream.say(*words("two.", start=5.0))
        await until(lambda: len(read_by(it, BOB)) == len(read_by(it, ALICE)) == 2)
        await it.manager.remove_reader(wire.ROOM, ANNA)
        stream.say(*words("three.", start=10.0))
        await until(lambda: len(read_by(it, BOB)) == 3)

        assert read_by(it, ALICE) == [("one.", False), ("two.", False)]
        assert read_by(it, BOB) == [("one.", True), ("two.", False), ("three.", False)]
        assert {reader for reader, _ in it.transcripts()} == {ALICE, BOB}
        with pytest.raises(NotFoundError):
            await it.manager.remove_reader(wire.ROOM, ANNA)
        with pytest.raises(NotAReaderError):
            await it.manager.set_target(wire.ROOM, ANNA, None)


async def test_a_new_session_of_the_server_keeps_readers() -> None:
    """After a restart of the server a page has another session, and reads on."""
    async with world() as it:
        await it.manager.add_reader(wire.ROOM, ANNA, Wish())
        await it.server.wait_for("room")
        await call(it, alice=WITH_AUDIO, bob=IN_CALL)
        await it.publish(ALICE)
        stream = await it.engine.stream()
        stream.say(*words("one."))
        await until(lambda: len(it.transcripts()) == 1)
        await until(lambda: it.metrics.transcripts.labels("true")._value.get() == 1)
        it.server.resumable = False
        await it.server.drop()
        stream.say(*words("two.", start=5.0))
        await it.server.wait_for("room", count=2)
        user = {"sessionId": "alice-2", "inCall": IN_CALL, "nextcloudSessionId": ANNA}
        await it.server.send(wire.event("participants", "update", users=[user]))
        await until(lambda: len(read_by(it, "alice-2")) == 1, deadline_s=15)

        assert read_by(it, "alice-2") == [("two.", False)]


@pytest.mark.parametrize("never_came", [True, False])
async def test_a_room_without_readers_ends_after_a_grace(*, never_came: bool) -> None:
    """The last one has withdrawn, or the only one who asked never came; others stay unasked."""
    async with world(empty_room_s=1) as it:
        await it.manager.add_reader(wire.ROOM, OUTSIDE if never_came else ANNA, Wish())
        await it.server.wait_for("room")
        await call(it, alice=IN_CALL, bob=IN_CALL)
        if not never_came:
            await until(lambda: it.manager.rooms()[0].readers == 1)
            with pytest.raises(TimeoutError):
                await it.server.wait_for("bye", deadline_s=1.5)
            await it.manager.remove_reader(wire.ROOM, ANNA)
        await it.server.wait_for("bye", deadline_s=3.0)
        await it.wait_for_room(None)


async def test_who_comes_back_within_the_grace_reads_on() -> None:
    """Reloading a page costs nothing."""
    async with world(empty_room_s=1) as it:
        await it.manager.add_reader(wire.ROOM, ANNA, Wish())
        await it.server.wait_for("room")
        await call(it, alice=IN_CALL)
        await until(lambda: it.manager.rooms()[0].readers == 1)
        await call(it, alice=0)
        await call(it, alice=IN_CALL)
        with pytest.raises(TimeoutError):
            await it.server.wait_for("bye", deadline_s=1.5)
        assert it.manager.rooms()[0].readers == 1


async def test_the_next_caption_has_the_new_language() -> None:
    """Set in mid-sentence: what is said is all there, and marked as the new one from then on."""
    async with world() as it:
        it.engine.languages = {"en": "English", "fr": "French"}
        await it.manager.add_reader(wire.ROOM, ANNA, Wish())
        await it.server.wait_for("room")
        await call(it, alice=WITH_AUDIO)
        await it.publish(ALICE)
        stream = await it.engine.stream()
        stream.say(*words("one."))
        await it.server.wait_for("transcript")
        await it.manager.set_language(wire.ROOM, "fr")
        stream.say(*words("deux.", start=5.0))
        await it.server.wait_for("transcript", count=2)

        found = [(data["message"], data["langId"]) for _, data in it.transcripts()]
        assert found == [("one.", "en"), ("deux.", "fr")]
