"""Live sessions and the store: clients come back to another process, and transcripts are kept."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from livebot.errors import NotFoundError, StoreError
from livebot.feeds.directory import Feeds
from livebot.feeds.events import Final, Gap, Interim, Snapshot
from livebot.live.clients import End
from livebot.live.options import LiveOptions
from livebot.live.session import LiveSession
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store import Store
from livebot.store.records import EVERYTHING, StoredTranscript
from livebot.stt.engine import SttEngine
from tests.support.live_sessions import Reader
from tests.support.pitch_engine import PitchEngine, said, speech
from tests.support.waiting import until

OPTIONS = LiveOptions(encoding="pcm_s16le", rate_hz=24_000, speaker="Ada", title="Notes")
KEPT = LiveOptions(encoding="pcm_s16le", rate_hz=24_000, speaker="Ada", title="Notes", store=True)
NAMELESS = LiveOptions(encoding="pcm_s16le", rate_hz=24_000)
SPEED = 6.0


def sound(words: int, first: int = 0, *, tail_s: float = 1.2) -> bytes:
    """Return audio in which so many words are heard, as 16-bit samples at 24 kHz."""
    return (speech(words, first, tail_s=tail_s) * 32767).astype("<i2").tobytes()


@dataclass
class Process:
    """What is lost when a process is killed, as far as one can do that inside of one."""

    sessions: LiveSessions
    store: Store
    feeds: Feeds
    metrics: Metrics


@dataclass
class World:
    """A folder that outlives processes."""

    folder: Path
    settings: Settings
    engine: Callable[[], SttEngine] = PitchEngine
    _kills: int = 0

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Process]:
        """Run one."""
        metrics, feeds = Metrics(), Feeds()
        async with (
            Store(self.folder, metrics=metrics) as store,
            self.engine() as engine,
            LiveSessions(
                self.settings, engine=engine, feeds=feeds, store=store, metrics=metrics
            ) as sessions,
        ):
            yield Process(sessions, store, feeds, metrics)

    async def kill(self) -> None:
        """Let the next process find the database as it is now.

        Nothing that the one that runs does from now on, not even in ending, is seen by anybody.
        """
        self._kills += 1
        after = self.folder.with_name(f"killed-{self._kills}")
        await asyncio.to_thread(_copy, self.folder, after)
        self.folder = after


def _copy(before: Path, after: Path) -> None:
    after.mkdir()
    for path in before.glob("*.db"):
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(after / path.name)) as target,
        ):
            source.backup(target)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give an empty one; made before the loop runs."""
    return World(tmp_path / "data", Settings(_env_file=None))


async def speak(session: LiveSession, audio: bytes, *, begin: int = 0) -> None:
    """Send audio faster than it was spoken."""
    for at in range(begin, len(audio), 4_800):
        await session.send(audio[at : at + 4_800])
        await asyncio.sleep(0.1 / SPEED)


async def read(session: LiveSession, after: int = 0) -> Reader:
    """Read all that a session says."""
    reader = Reader(session.feed, after)
    await reader.run()
    return reader


def texts(*readers: Reader) -> list[str]:
    """Return all words that readers were told."""
    finals: list[Final] = [final for reader in readers for final in reader.of(Final)]
    return [word.text for final in finals for word in final.words]


@pytest.mark.parametrize(
    "engine", [PitchEngine, partial(PitchEngine, timed=False)], ids=["timed", "untimed"]
)
@pytest.mark.parametrize("spoken_s", [2.2, 3.2, 4.4, 7.0])
async def test_a_client_that_kept_its_audio_loses_no_word(
    world: World, engine: Callable[[], SttEngine], spoken_s: float
) -> None:
    """It sends again what was not told as words, and none is told twice.

    Spec: live-sessions/Restart.
    """
    world.engine = engine
    audio = b"".join(sound(4, first) for first in (0, 4, 8, 12))
    cut = round(spoken_s * 24_000) * 2
    async with world.process() as first:
        session = await first.sessions.open("me", OPTIONS)
        reader = Reader(session.feed)
        reading = asyncio.create_task(reader.run())
        await speak(session, audio[:cut])
        await asyncio.sleep(0.3)
        reading.cancel()
        await asyncio.wait([reading])
        await world.kill()
    async with world.process() as second:
        session = await second.sessions.resume("me", session.id)
        assert session.feed.seq >= reader.after
        at = session.position
        assert at <= spoken_s
        assert at > 0 or spoken_s < 3 or engine is not PitchEngine
        session.begin_at(at)
        rest = asyncio.create_task(read(session, reader.after))
        await speak(session, audio, begin=round(at * 24_000) * 2)
        await session.finish()
        later = await rest

    assert texts(reader, later) == said(16)
    assert [gap for gap in later.of(Gap) if gap.cause != "shutdown"] == []
    assert not later.snapshots
    names = [final.utterance for each in (reader, later) for final in each.of(Final)]
    assert len(set(names)) == len(names)


async def test_a_client_that_kept_nothing_is_told_what_is_missing(world: World) -> None:
    """The time line goes on by the clock. Spec: live-sessions/Restart."""
    async with world.process() as first:
        session = await first.sessions.open("me", OPTIONS)
        await speak(session, sound(4))
        await session.finalize()
        before = session.feed.seq
        await world.kill()
    await asyncio.sleep(4)  # audio was sent faster than the clock went
    async with world.process() as second:
        session = await second.sessions.resume("me", session.id)
        await speak(session, sound(3))
        await session.finish()
        reader = await read(session, before)

    (gap,) = reader.of(Gap)
    assert gap.cause == "restart"
    assert gap.end - gap.start >= 1
    assert texts(reader) == said(3)
    assert all(final.start >= gap.end for final in reader.of(Final))


async def test_what_was_going_on_is_ended(world: World) -> None:
    """No interim stays for ever, though nobody goes on with it. Spec: live-sessions/Restart."""
    async with world.process() as first:
        session = await first.sessions.open("me", OPTIONS)
        await speak(session, sound(3, tail_s=0.4))
        await until(lambda: session.feed.snapshot().interims)
        seq = session.feed.seq
        await world.kill()
    async with world.process() as second:
        session = await second.sessions.resume("me", session.id)
        await until(lambda: session.feed.snapshot().interims == ())
        told = await session.feed.read(seq)
        assert not isinstance(told, Snapshot)
        assert isinstance(told[-1].event, Interim)
        assert told[-1].event.text == ""


async def test_who_ended_in_order_can_still_be_asked(world: World) -> None:
    """A client that was cut off at the very end gets its last words.

    Spec: live-sessions/Resume.
    """
    async with world.process() as first:
        session = await first.sessions.open("me", OPTIONS)
        await speak(session, sound(3))
        await session.finish()
        await until(lambda: first.sessions.count == 0)
        again = await first.sessions.resume("me", session.id)
        assert await again.ended() is End.FINISHED
        assert texts(await read(again)) == said(3)
    async with world.process() as second:
        again = await second.sessions.resume("me", session.id)
        assert texts(await read(again)) == said(3)
        with pytest.raises(NotFoundError):
            await second.sessions.resume("other", session.id)


async def test_sessions_that_are_drained_go_on_in_the_next_process(world: World) -> None:
    """Stopping is no end. Spec: live-sessions/Stopping."""
    audio = sound(12)
    async with world.process() as first:
        session = await first.sessions.open("me", KEPT)
        reading = asyncio.create_task(read(session))
        await speak(session, audio[: 4 * 48_000])
        await first.sessions.drain(5)
        reader = await reading
        assert await session.ended() is End.RESTART
    async with world.process() as second:
        session = await second.sessions.resume("me", session.id)
        session.begin_at(session.position)
        rest = asyncio.create_task(read(session, reader.after))
        await speak(session, audio, begin=round(session.position * 24_000) * 2)
        await session.finish()
        later = await rest
        await until(lambda: second.sessions.count == 0)
        kept = await second.store.transcripts.get(session.id, EVERYTHING)

    words = texts(reader, later)
    assert words == said(12)
    assert [w.text for u in kept.utterances for w in u.words] == words


async def test_a_transcript_is_kept_where_that_is_wanted(world: World) -> None:
    """Its words are those that were told. Spec: live-sessions/Transcripts."""
    async with world.process() as process:
        session = await process.sessions.open("me", KEPT)
        await speak(session, sound(5))
        session.begin_at(30)
        await speak(session, sound(2, 5))
        await session.finish()
        await until(lambda: process.sessions.count == 0)
        kept = await process.store.transcripts.get(session.id, EVERYTHING)
        silent = await process.sessions.open("me", OPTIONS)
        await speak(silent, sound(2))
        await silent.finish()
        with pytest.raises(NotFoundError):
            await process.store.transcripts.get(silent.id, EVERYTHING)

    head = kept.head
    assert (head.kind, head.title, head.owner, head.language) == ("live", "Notes", "me", "en")
    assert head.ended_at is not None
    assert head.duration == pytest.approx(32.1, abs=0.5)
    assert [w.text for u in kept.utterances for w in u.words] == said(7)
    assert {(u.speaker, u.person) for u in kept.utterances} == {("Ada", "Ada")}
    assert [(gap.cause, gap.end) for gap in kept.gaps] == [("client", 30.0)]


async def test_a_transcript_goes_on_after_a_restart(world: World) -> None:
    """One session has one transcript, in which nothing is missing and nothing twice.

    Spec: live-sessions/Transcripts.
    """

    async def kept_of(process: Process, name: str) -> StoredTranscript:
        return await process.store.transcripts.get(name, EVERYTHING)

    async with world.process() as first:
        session = await first.sessions.open("me", KEPT)
        for first_word in (0, 3):
            await speak(session, sound(3, first_word))
            await session.finalize()
        await world.kill()
    async with world.process() as second:
        session = await second.sessions.resume("me", session.id)
        session.begin_at(100)
        await speak(session, sound(4, 6))
        await session.finish()
        await until(lambda: second.sessions.count == 0)
        kept = await kept_of(second, session.id)

    assert [w.text for u in kept.utterances for w in u.words] == said(10)


async def test_a_store_that_is_away_is_no_reason_to_be_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions go on; the session is not remembered. Spec: live-sessions/Transcripts."""
    async with world.process() as process:

        async def fail(*_: Any, **__: Any) -> None:
            raise StoreError("the database is away, says the test")

        monkeypatch.setattr(process.store.live, "open", fail)
        monkeypatch.setattr(process.store.transcripts, "begin", fail)
        session = await process.sessions.open("me", KEPT)
        await speak(session, sound(3))
        await session.finish()
        assert texts(await read(session)) == said(3)


@pytest.mark.parametrize(
    ("person", "options"), [("Ada", KEPT), ("", KEPT), ("Ada", OPTIONS), ("me", NAMELESS)]
)
async def test_what_is_erased_is_in_no_memory_and_no_file(
    world: World, person: str, options: LiveOptions
) -> None:
    """A session that runs takes back what was said, and goes on behind it, over a restart too.

    Spec: live-sessions/Erasing.
    """
    async with world.process() as process:
        session = await process.sessions.open("me", options)
        reader = Reader(session.feed)
        reading = asyncio.create_task(reader.run())
        await speak(session, sound(3))
        await session.finalize()
        assert said(3) == texts(reader)

        before = await asyncio.to_thread(_bytes, world.folder)
        assert [word for word in said(3) if word in before] == said(3)

        whom = {"person": person} if person else {"session": session.id}
        assert await process.sessions.forget("somebody else", **whom) == 0
        assert await process.sessions.forget("me", **whom) == 1
        if person:
            await process.store.transcripts.erase_person(person, EVERYTHING)
        else:
            await process.store.transcripts.erase(session.id, EVERYTHING)

        assert session.feed.snapshot().finals == ()
        left_over = await asyncio.to_thread(_bytes, world.folder)
        assert not [word for word in said(3) if word in left_over]
        await speak(session, sound(2, 3))
        await session.finalize()
        seq = session.feed.seq
        await world.kill()
        reading.cancel()
        await asyncio.wait([reading])
    assert texts(reader) == said(5), "who read along was told all, and then what is taken back"
    async with world.process() as process:
        again = await process.sessions.resume("me", session.id)
        left = again.feed.snapshot()
        assert again.feed.seq >= seq
        assert [w.text for final in left.finals for w in final.words] == said(5)[3:]
        await again.finish()


def _bytes(folder: Path) -> str:
    """Return all that is in any file."""
    return "".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )
