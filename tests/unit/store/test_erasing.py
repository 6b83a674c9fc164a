"""What was erased is nowhere any more: not in the database's files, not in the audio folder."""

import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livebot.feeds.directory import live_feed
from livebot.feeds.events import Final, Gap, Interim, Notice, Speaker
from livebot.feeds.feed import Feed
from livebot.metrics import Metrics
from livebot.store import Store
from livebot.store.records import EVERYTHING, Kind, Scope, StoredTranscript, StoredUtterance
from livebot.store.transcripts import complete
from tests.support import kept

ANNA, BEN = "users/anna", "users/ben"


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Store]:
    """Give a store in SQLite, whose files can be looked into."""
    async with Store(tmp_path / "data", metrics=Metrics()) as opened:
        yield opened


def everything(store: Store) -> bytes:
    """Return all bytes that the store has on disk."""
    found = [file for file in store.folder.rglob("*") if file.is_file()]
    return b"".join(file.read_bytes() for file in found if not file.name.endswith("-shm"))


async def test_no_byte_of_an_erased_transcript_stays(files: Store) -> None:
    """Neither words nor title, names or audio are on the disk.

    Spec: store/Erasing.
    """
    whole = StoredTranscript(
        kept.head(title="Zweitname-title", audio=True),
        (
            kept.utterance("Geheimwort-1", person="Person-1", speaker="Shown-1"),
            kept.utterance("Geheimwort-2 " * 2000, 5.0, person="Person-1"),
        ),
        (kept.gap(9.0, person="Person-1", speaker="Shown-1"),),
    )
    await files.transcripts.complete(whole)
    (files.audio.folder / "1.opus").write_bytes(b"Geheimwort-audio")
    await files.audio.add(whole.head.id, person="Person-1", start=0, end=1, name="1.opus")
    other = kept.transcript("Bleibwort")
    await files.transcripts.complete(other)
    assert b"Geheimwort" in everything(files)
    await files.transcripts.erase(whole.head.id, EVERYTHING)
    left = everything(files)
    for trace in (b"Geheimwort", b"geheimwort", b"Zweitname", b"Person-1", b"Shown-1"):
        assert trace not in left
    assert whole.head.id.encode() not in left
    assert b"Bleibwort" in left
    assert await files.transcripts.get(other.head.id, EVERYTHING) == other


@pytest.mark.parametrize("seed", [0, 4])
async def test_no_byte_stays_whatever_was_written_and_erased_before(
    files: Store, seed: int
) -> None:
    """Rows that the database moved from page to page, grew and shrank leave no copies.

    Spec: store/Erasing.
    """
    dice = random.Random(seed)
    ids = [f"{dice.getrandbits(128):032x}" for _ in range(150)]
    rooms = {one: dice.choice(["gone", "stays"]) for one in ids}
    async with files._database.writing() as connection:
        for _ in range(700):
            one = dice.choice(list(rooms))
            texts = [f"Geheim{one} " * dice.choice([1, 3, 10, 60]) for _ in range(2)]
            title = f"Geheim{one} " * dice.randint(1, 40)
            head = kept.head(id=one, kind=Kind.CALL, room=rooms[one], title=title)
            await complete(files._database, connection, kept.of(head, *texts))
    await files.transcripts.erase_room("gone", EVERYTHING)
    left = everything(files).lower()
    assert not [one for one, room in rooms.items() if room == "gone" and one.encode() in left]
    found = await files.transcripts.find(EVERYTHING, limit=500)
    assert all(head.id.encode() in left and head.room == "stays" for head in found.items)


async def test_no_byte_of_a_person_stays(files: Store) -> None:
    """What somebody said goes everywhere, what others said stays everywhere.

    Spec: store/Erasing.
    """
    heads = [kept.head(kind=kind, audio=True) for kind in Kind]
    for number, head in enumerate(heads):
        said = [_said("Geheimwort", ANNA, "Anna A."), _said("Bleibwort", BEN, "Ben")]
        lost = [kept.gap(person=ANNA, speaker="Anna A."), kept.gap(1.0, person=BEN)]
        await files.transcripts.begin(head)
        await files.transcripts.add(head.id, said, lost)
        for person in (ANNA, BEN):
            name = f"{number}{person[-1]}.opus"
            (files.audio.folder / name).write_bytes(b"Geheimwort" if person == ANNA else b"x")
            await files.audio.add(head.id, person=person, start=0, end=1, name=name)
    session = kept.live(transcript=heads[1].id)
    await files.live.open(session)
    feed = Feed(live_feed(session.id), journal=files.live)
    feed.publish(Interim("u0", "Geheimwort", Speaker("1", "Anna A.")))
    feed.publish(Final("u0", "Geheimwort", (), Speaker("1", "Anna A.")))
    feed.publish(Gap("g", "engine", 0, 1, 1, Speaker("1", "Anna A.")))
    feed.publish(Final("u1", "Bleibwort to Anna A.", (), Speaker("2", "Ben")))
    feed.publish(Notice("late", ""))
    await files._journal.flushed()
    assert await files.transcripts.erase_person(ANNA, EVERYTHING) == 3
    left = everything(files)
    assert b"Geheimwort" not in left
    assert b"geheimwort" not in left
    assert ANNA.encode() not in left
    for head in heads:
        got = await files.transcripts.get(head.id, EVERYTHING)
        assert [one.text for one in got.utterances] == ["Bleibwort"]
        assert [one.person for one in got.gaps] == [BEN]
        assert [chunk[0] for chunk in await files.audio.of(head.id)] == [BEN]
    events = [one.event for one in await files.live.events(session.id)]
    assert events == [
        Final("u1", "Bleibwort to Anna A.", (), Speaker("2", "Ben")),
        Notice("late", ""),
    ]


async def test_a_person_is_erased_where_the_caller_may_see(store: Store) -> None:
    """Another backend's calls and another owner's recordings stay as they are.

    Spec: store/Scope.
    """
    mine = kept.head(kind=Kind.CALL, backend="a")
    others = [
        kept.head(kind=Kind.CALL, backend="b"),
        kept.head(kind=Kind.LIVE, owner="other"),
    ]
    for head in (mine, *others):
        await store.transcripts.complete(StoredTranscript(head, (_said("word", ANNA, "Anna"),)))
    theirs = kept.live(owner="other", transcript=others[1].id)
    await store.live.open(theirs)
    feed = Feed(live_feed(theirs.id), journal=store.live)
    feed.publish(Final("u", "word", (), Speaker(ANNA, "Anna")))
    await store._journal.flushed()
    assert await store.transcripts.erase_person(ANNA, Scope(owner="ops", backend="a")) == 1
    assert not (await store.transcripts.get(mine.id, EVERYTHING)).utterances
    for head in others:
        assert (await store.transcripts.get(head.id, EVERYTHING)).utterances
    assert len(await store.live.events(theirs.id)) == 1


async def test_a_room_is_erased_in_its_backend(store: Store) -> None:
    """All calls of a room, and no room of the same name elsewhere.

    Spec: store/Erasing.
    """
    for number, (backend, room) in enumerate([("a", "r"), ("a", "r"), ("a", "s"), ("b", "r")]):
        head = kept.head(kind=Kind.CALL, backend=backend, room=room, title=str(number))
        await store.transcripts.begin(head)
    assert await store.transcripts.erase_room("r", Scope(backend="a")) == 2
    left = {head.title for head in (await store.transcripts.find(EVERYTHING)).items}
    assert left == {"2", "3"}
    assert await store.transcripts.erase_room("nowhere", EVERYTHING) == 0


async def test_what_a_live_session_said_goes_with_its_transcript(store: Store) -> None:
    """Events for a client that comes back are the same words.

    Spec: store/Erasing.
    """
    head = kept.head()
    session = kept.live(transcript=head.id)
    await store.transcripts.begin(head)
    await store.live.open(session)
    feed = Feed(live_feed(session.id), journal=store.live)
    feed.publish(Final("u", "word", ()))
    await store._journal.flushed()
    await store.transcripts.erase(head.id, EVERYTHING)
    assert not await store.live.events(session.id)


async def test_forgotten_and_expired_sessions_leave_no_byte(files: Store) -> None:
    """What was kept for a client that comes back is gone when nobody will.

    Spec: store/Retention.
    """
    for number in range(2):
        session = kept.live()
        await files.live.open(session)
        feed = Feed(live_feed(session.id), journal=files.live)
        feed.publish(Final("u", f"Geheimwort{number} " * 500, ()))
        await files._journal.flushed()
        if number:
            await files.live.close(session.id)
            await files.live.expire(float("inf"))
            files._database.scrubber._not_before = 0.0
            await files._database.scrubber.catch_up()
        else:
            await files.live.forget(session.id)
        assert b"Geheimwort" not in everything(files)


async def test_a_reader_in_the_way_delays_but_does_not_prevent(files: Store) -> None:
    """While another program reads the file, an operator is told; then it is cleared.

    Spec: store/Erasing.
    """
    whole = kept.transcript("Geheimwort")
    await files.transcripts.complete(whole)
    reader = sqlite3.connect(files.folder / "livebot.db", isolation_level=None)
    try:
        reader.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM utterances").fetchall()
        await _impatient(files)
        await files.transcripts.erase(whole.head.id, EVERYTHING)
        assert any("erased" in trouble for trouble in files.troubles())
        assert b"Geheimwort" in everything(files)
        reader.execute("COMMIT")
    finally:
        reader.close()
    files._database.scrubber._not_before = 0.0
    await files._keeper.round(0.0)
    assert b"Geheimwort" not in everything(files)
    assert not files.troubles()


async def test_audio_without_consent_is_not_kept(store: Store) -> None:
    """A file of a transcript that may have none, or is gone, is removed at once.

    Spec: store/Audio.
    """
    head = kept.head(audio=False)
    await store.transcripts.begin(head)
    for transcript in (head.id, kept.new_id()):
        file = store.audio.folder / "chunk.opus"
        file.write_bytes(b"x")
        await store.audio.add(transcript, person="", start=0, end=1, name=file.name)
        assert not file.exists()
        assert not await store.audio.of(transcript)


async def test_audio_is_found_by_start(store: Store) -> None:
    """With consent, the index says who spoke when in which file.

    Spec: store/Audio.
    """
    head = kept.head(audio=True)
    await store.transcripts.begin(head)
    for start in (2.0, 1.0):
        name = f"{start}.opus"
        await store.audio.add(head.id, person=ANNA, start=start, end=start + 1, name=name)
    assert await store.audio.of(head.id) == [
        (ANNA, 1.0, 2.0, store.audio.folder / "1.0.opus"),
        (ANNA, 2.0, 3.0, store.audio.folder / "2.0.opus"),
    ]


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x"])
async def test_audio_stays_in_its_folder(files: Store, name: str) -> None:
    """No name leads to a file elsewhere."""
    with pytest.raises(ValueError, match="folder"):
        await files.audio.add("t", person="", start=0, end=1, name=name)


async def test_audio_that_a_crash_left_is_swept_away(store: Store) -> None:
    """Files without an index go after a while; new ones may yet get theirs.

    Spec: store/Audio.
    """
    head = kept.head(audio=True)
    await store.transcripts.begin(head)
    for name in ("known.opus", "lost.opus"):
        (store.audio.folder / name).write_bytes(b"x")
    await store.audio.add(head.id, person="", start=0, end=1, name="known.opus")
    assert await store.audio.sweep(0.0) == 0
    assert await store.audio.sweep(float("inf")) == 1
    assert [file.name for file in store.audio.folder.iterdir()] == ["known.opus"]


def _said(text: str, person: str, speaker: str) -> StoredUtterance:
    return kept.utterance(text, person=person, speaker=speaker)


async def _impatient(store: Store) -> None:
    """Let the store's connections wait for nobody."""
    for _ in range(2):
        async with store._database._bare({"begin": ""}) as connection:
            await connection.exec_driver_sql("PRAGMA busy_timeout = 0")
