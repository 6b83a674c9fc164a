"""Tests of `livebot.rooms.scribe`, `voice` and `account`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ
from livebot.audio.pipeline import Chunk
from livebot.captions.gap import Cause
from livebot.captions.gap import Gap as RoomGap
from livebot.errors import NotFoundError
from livebot.feeds.directory import Feeds, room_feed
from livebot.feeds.events import Final, Gap, Interim, Snapshot
from livebot.feeds.feed import Feed
from livebot.ids import RoomToken, SessionId
from livebot.metrics import Metrics
from livebot.rooms.archive import Archive
from livebot.rooms.clock import RoomClock
from livebot.rooms.keeping import Erasure, Kept
from livebot.rooms.scribe import Scribe, ScribeOptions
from livebot.rooms.voice import IDLE_AFTER_S, STREAM_OVER_S
from livebot.signaling.events import Participant, ParticipantsJoined
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from tests.support.scripted_store import ScriptedAudio, ScriptedStore

pytestmark = pytest.mark.virtual_time

ROOM, BREAKOUT = RoomToken("abcd1234"), RoomToken("efgh5678")
ALICE, BOB = SessionId("session-of-alice"), SessionId("session-of-bob")
WORDS = Kept(words=True)
BOTH = Kept(words=True, audio=True)


@dataclass
class World:
    """A scribe, its feeds, and where it writes."""

    scribe: Scribe
    clock: RoomClock
    feeds: Feeds
    store: ScriptedStore
    archive: Archive
    pieces: list[tuple[str, str]] = field(default_factory=list)

    def feed(self, room: RoomToken = ROOM) -> Feed:
        """Return a room's feed."""
        return self.feeds.get(room_feed("default", room))

    def say(self, session: SessionId, text: str, *more: SttEvent) -> None:
        """Let somebody say words that end now."""
        voice = self.scribe._voices.get(session) or self.scribe.voice(session)
        for word in text.split():
            voice.heard(Word(word, self.clock.now() - 0.4, self.clock.now()))
        for event in more:
            voice.heard(event)

    def finals(self, room: RoomToken = ROOM) -> list[Final]:
        """Return what was said in a room."""
        return list(self.feed(room).snapshot().finals)


@asynccontextmanager
async def world(kept: Kept = WORDS, *, tells_pauses: bool = True) -> AsyncIterator[World]:
    """Open everything; Alice and Bob are there."""
    store, feeds = ScriptedStore(ScriptedAudio(Path("/nowhere"))), Feeds()
    async with Archive(store, Metrics()) as archive:  # type: ignore[arg-type]
        clock = RoomClock()
        options = ScribeOptions(backend="default", language="en", owner="ops", kept=kept)
        scribe = Scribe(
            ROOM, options, clock=clock, feeds=feeds, archive=archive, tells_pauses=tells_pauses
        )
        it = World(scribe, clock, feeds, store, archive)
        archive.sounds.put = (  # type: ignore[method-assign]
            lambda book, person, piece: it.pieces.append((book.head.room, person))  # noqa: ARG005
        )
        with scribe:
            people = Participant(ALICE, "alice", "Alice"), Participant(BOB, "", "Bob")
            scribe.apply(ParticipantsJoined(people))
            yield it
        await asyncio.sleep(1)


async def test_words_are_told_at_once_and_kept_when_complete() -> None:
    """Under names, never sessions. Spec: transcripts-of-calls/Read along."""
    async with world() as it:
        it.say(ALICE, "hello")
        assert isinstance(await it.feed().read(0), list)
        (interim,) = it.feed().snapshot().interims
        it.say(ALICE, "there.", Pause())
        (final,) = it.finals()
        shown = msgspec.json.encode(await it.feed().read(0))
        await asyncio.sleep(0.1)

        assert (interim.text, interim.speaker.name, interim.speaker.id) == ("hello", "Alice", "1")
        assert (final.text, final.latency_ms, final.language) == ("hello there.", 0, "en")
        assert b"session-of" not in shown
        ((kept,),) = it.store.transcripts.said.values()
        assert (kept.text, kept.speaker, kept.person) == ("hello there.", "Alice", "alice")
    (head,) = it.store.transcripts.heads.values()
    assert (head.room, head.backend, head.owner, head.audio) == (ROOM, "default", "ops", False)
    assert head.title == "Call abcd…"
    assert list(it.store.transcripts.ended) == [head.id]


async def test_latency_is_from_the_end_of_the_last_word() -> None:
    """On the room's time line; unknown where words have no times."""
    async with world() as it:
        voice = it.scribe.voice(ALICE)
        await asyncio.sleep(3.0)
        voice.heard(Word("late", 0.5, 1.0))
        voice.heard(Pause())
        voice.heard(Word("untimed"))
        voice.heard(Pause())

        assert [final.latency_ms for final in it.finals()] == [2000, None]


@pytest.mark.parametrize(("tells", "after"), [(True, STREAM_OVER_S), (False, IDLE_AFTER_S)])
async def test_an_utterance_ends_where_nothing_follows(tells: bool, after: float) -> None:
    """Where the engine tells no pauses, soon; where its stream ended without one, at last."""
    async with world(tells_pauses=tells) as it:
        it.say(ALICE, "so")
        await asyncio.sleep(after - 0.1)
        assert it.finals() == []
        await asyncio.sleep(0.2)
        assert [final.text for final in it.finals()] == ["so"]


@given(
    st.lists(
        st.tuples(st.sampled_from([ALICE, BOB]), st.integers(0, 300), st.booleans()), max_size=30
    )
)
async def test_one_timer_serves_everybody(said: list[tuple[SessionId, int, bool]]) -> None:
    """Whoever speaks when: all words are told, and in the order of each speaker."""
    async with world(tells_pauses=False) as it:
        for number, (who, wait_ms, pause) in enumerate(said):
            it.say(who, f"w{number}", *([Pause()] if pause else []))
            it.scribe._voices[who].heard(Tentative("maybe"))
            await asyncio.sleep(wait_ms / 1000)
        await asyncio.sleep(5)

        for who, name in ((ALICE, "Alice"), (BOB, "Bob")):
            told = " ".join(f.text for f in it.finals() if f.speaker.name == name).split()
            assert told == [f"w{number}" for number, its in enumerate(said) if its[0] == who]
        assert it.feed().snapshot().interims == ()
        assert it.scribe._timer is None


async def test_last_words_come_from_who_has_left() -> None:
    """Under their name; who comes back is the same. Spec: transcripts-of-calls/Read along."""
    async with world() as it:
        before = it.scribe.voice(ALICE)
        before.heard(Word("bye", 0.0, 0.1))
        again = it.scribe.voice(ALICE)
        again.heard(Word("back", 1.0, 1.1))
        before.finish()
        again.finish()
        before.finish()

        assert [(f.text, f.speaker.id) for f in it.finals()] == [("bye", "1"), ("back", "1")]
        assert it.scribe._voices == {}
        assert it.scribe._last == set()


async def test_what_is_missing_is_told_and_kept() -> None:
    """When it is noticed, and again when it is over. Spec: transcripts-of-calls/Gaps."""
    async with world() as it:
        it.scribe.missed(ALICE, RoomGap(Cause.MEDIA, 1.0, None, 2.0))
        it.scribe.missed(BOB, RoomGap(Cause.ENGINE, 1.0, 3.0, 2.0))
        voice = it.scribe.voice(ALICE)
        it.scribe.missed(ALICE, RoomGap(Cause.MEDIA, 5.0, None, 2.0))
        it.scribe.missed(ALICE, RoomGap(Cause.MEDIA, 5.0, 9.0, 4.0))
        voice.finish()
        gaps = it.feed().snapshot().gaps
        await asyncio.sleep(0.1)

        assert [(g.cause, g.start, g.end, g.speaker.name) for g in gaps] == [
            ("media", 1.0, None, "Alice"),
            ("engine", 1.0, 3.0, "Bob"),
            ("media", 5.0, 9.0, "Alice"),
        ]
        ((engine, media),) = it.store.transcripts.missing.values()
        assert (engine.person, engine.lost_s) == ("guest:Bob", 2.0)
        assert (media.person, media.end) == ("alice", 9.0)


async def test_nothing_is_kept_unless_it_is_wanted() -> None:
    """Read along one can all the same. Spec: transcripts-of-calls/What is kept."""
    async with world(Kept()) as it:
        it.say(ALICE, "hello", Pause())
        assert len(it.finals()) == 1
    assert it.store.transcripts.heads == {}


async def test_it_can_be_switched_in_the_middle() -> None:
    """What was said before is not in it. Spec: transcripts-of-calls/What is kept."""
    async with world(Kept()) as it:
        it.say(ALICE, "before", Pause())
        it.say(ALICE, "during")
        await asyncio.sleep(10)
        it.scribe.keep(WORDS)
        await asyncio.sleep(0.5)
        it.say(ALICE, "kept", Pause())
        it.scribe.keep(WORDS)
        await asyncio.sleep(1)
        it.scribe.keep(Kept())
        it.say(ALICE, "after", Pause())
        await asyncio.sleep(1)

        (said,) = it.store.transcripts.said.values()
        assert [each.text for each in said] == ["kept"]
        assert 0.0 <= said[0].start < said[0].end < 1.0
        assert len(it.store.transcripts.ended) == 1
        assert len(it.finals()) == 4


async def test_a_breakout_room_has_its_own_readers_and_transcript() -> None:
    """Whoever reads in the one does not read the other; back again, it goes on.

    Spec: transcripts-of-calls/Breakout rooms.
    """
    async with world(BOTH) as it:
        it.say(ALICE, "all together", Pause())
        it.say(BOB, "the last of it")
        it.scribe.moved(BREAKOUT)
        it.scribe._voices[BOB].finish()
        it.scribe._voices[ALICE].finish()
        it.say(ALICE, "few of us", Pause())
        speak(it, ALICE, 40)
        it.scribe._voices[ALICE].finish()
        it.scribe.moved(ROOM)
        it.say(ALICE, "together again", Pause())

        told = [final.text for final in it.finals()]
        assert told == ["all together", "the last of it", "together again"]
        assert [final.text for final in it.finals(BREAKOUT)] == ["few of us"]
        # The people of the call agreed, and only for that room.
        assert it.pieces == []
    rooms = {head.room: name for name, head in it.store.transcripts.heads.items()}
    kept = {
        room: [s.text for s in it.store.transcripts.said[name]] for room, name in rooms.items()
    }
    assert kept == {ROOM: told, BREAKOUT: ["few of us"]}
    with pytest.raises(NotFoundError):
        it.feed()
    with pytest.raises(NotFoundError):
        it.feed(BREAKOUT)


async def test_a_room_that_is_served_already_keeps_its_readers() -> None:
    """Where a call goes on in a room that was asked for, too."""
    async with world() as it:
        with it.feeds.listed(Feed(room_feed("default", BREAKOUT))) as other:
            it.scribe.moved(BREAKOUT)
            it.say(ALICE, "hello", Pause())

            assert it.feed(BREAKOUT) is other
            assert other.seq == 0


def speak(it: World, session: SessionId, seconds: float) -> None:
    """Let somebody be heard."""
    voice = it.scribe._voices.get(session) or it.scribe.voice(session)
    sound = np.full(RATE_HZ // 5, 0.3, np.float32)
    for number in range(round(seconds * 5)):
        voice.chunk(Chunk(sound, number / 5))


async def test_audio_is_kept_from_yes_to_no() -> None:
    """Not before, not after, the last of it included. Spec: transcripts-of-calls/Audio."""
    async with world(WORDS) as it:
        speak(it, ALICE, 65)
        assert it.pieces == []
        it.scribe.keep(BOTH)
        speak(it, ALICE, 65)
        speak(it, BOB, 5)
        it.scribe._voices[BOB].finish()
        assert [person for _, person in it.pieces] == ["alice", "alice", "guest:Bob"]
        it.scribe.keep(WORDS)
        assert len(it.pieces) == 4
        speak(it, ALICE, 65)
        assert len(it.pieces) == 4


async def test_who_is_forgotten_is_told_and_kept_from_then_on_only() -> None:
    """What was said, is being said, and was heard. Spec: transcripts-of-calls/Erase."""
    async with world(BOTH) as it:
        it.store.transcripts.is_away = True
        it.say(ALICE, "hers one", Pause())
        it.say(BOB, "his one", Pause())
        it.say(ALICE, "hers two")
        speak(it, ALICE, 5)

        it.scribe.forget(Erasure(person="alice"))
        await it.archive.forget(Erasure(person="alice"), "default")
        it.scribe._voices[ALICE].finish()
        it.store.transcripts.is_away = False
        it.say(ALICE, "new", Pause())
        await asyncio.sleep(60)

        seen = msgspec.json.encode(it.feed().snapshot())
        read = await it.feed().read(0)
        assert not isinstance(read, Snapshot)
        assert b"hers" not in seen + msgspec.json.encode(read)
        assert [final.text for final in it.finals()] == ["his one", "new"]
        assert it.store.transcripts.texts == ["his one", "new"]
        assert it.pieces == []
        assert [each.seq for each in read] == [*range(1, it.feed().seq + 1)]


@pytest.mark.parametrize("by", ["room", "transcript"])
async def test_a_call_that_is_erased_is_kept_no_more(by: str) -> None:
    """Until it is asked for again. Spec: transcripts-of-calls/Erase."""
    async with world() as it:
        it.say(ALICE, "one", Pause())
        await asyncio.sleep(0.1)
        (ident,) = it.store.transcripts.heads
        erasure = Erasure(room=ROOM) if by == "room" else Erasure(transcript=ident)
        it.scribe.forget(erasure)
        await it.archive.forget(erasure, "default")
        assert it.finals() == []
        it.say(ALICE, "two", Pause())
        await asyncio.sleep(1)
        assert it.store.transcripts.texts == ["one"]

        it.scribe.keep(WORDS)
        it.say(ALICE, "three", Pause())
        await asyncio.sleep(1)
        assert it.store.transcripts.texts == ["one", "three"]
        assert len(it.store.transcripts.heads) == 2


async def test_others_do_not_lose_what_another_room_erases() -> None:
    """Nor what another person does."""
    async with world() as it:
        it.say(ALICE, "one", Pause())
        it.scribe.forget(Erasure(room=BREAKOUT))
        it.scribe.forget(Erasure(transcript="0" * 32))
        it.scribe.forget(Erasure(person="bob"))
        it.scribe.forget(Erasure(person="guest:Alice"))

        assert [final.text for final in it.finals()] == ["one"]


async def test_the_language_of_what_is_said_is_told() -> None:
    """Where nobody knows it, none is. Spec: transcripts-of-calls/Read along."""
    async with world() as it:
        it.say(ALICE, "hello", Pause())
        it.scribe.set_language("fr")
        it.say(ALICE, "bonjour", Pause())
        it.scribe.set_language("auto")
        it.say(ALICE, "hola", Pause())

        assert [final.language for final in it.finals()] == ["en", "fr", ""]


async def test_interims_come_five_times_a_second_at_most() -> None:
    """However many words there are."""
    async with world() as it:
        for number in range(100):
            it.say(ALICE, f"w{number}")
            await asyncio.sleep(0.02)
        read = await it.feed().read(0)
        assert not isinstance(read, Snapshot)

    interims = [each for each in read if isinstance(each.event, Interim)]
    assert 8 <= len(interims) <= 12
    assert not [each for each in read if isinstance(each.event, Gap)]
