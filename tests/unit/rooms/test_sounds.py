"""Tests of `livebot.rooms.sounds`."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from livebot.audio.pcm import RATE_HZ
from livebot.metrics import Metrics
from livebot.rooms import ogg, sounds
from livebot.rooms.archive import Archive
from livebot.rooms.book import Book
from livebot.rooms.keeping import Erasure
from livebot.rooms.recorder import Piece
from livebot.store.records import Kind, TranscriptHead
from tests.support.scripted_store import ScriptedAudio, ScriptedStore
from tests.support.waiting import until


def book(*, audio: bool = True, number: int = 1) -> Book:
    """Return a transcript."""
    head = TranscriptHead(
        id=f"t{number}",
        kind=Kind.CALL,
        owner="ops",
        backend="default",
        room=f"room{number}",
        audio=audio,
    )
    return Book(head)


def piece(start: float = 0.0, seconds: float = 0.5) -> Piece:
    """Return audio."""
    samples = (np.sin(np.arange(round(RATE_HZ * seconds)) / 9) * 9000).astype(np.int16)
    return Piece(samples, start, start + seconds)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Archive, ScriptedStore, Metrics]]:
    """Open an archive."""
    store, metrics = ScriptedStore(ScriptedAudio(folder)), Metrics()
    archive = Archive(store, metrics)  # type: ignore[arg-type]  # it has what is needed
    async with archive:
        yield archive, store, metrics


def files(folder: Path) -> list[Path]:
    """Return what is in the folder."""
    return sorted(folder.iterdir()) if folder.exists() else []


async def test_a_piece_is_a_file_and_a_line_in_the_index(tmp_path: Path) -> None:
    """Under a name that says nothing, for nobody else. Spec: transcripts-of-calls/Audio."""
    folder = tmp_path / "audio"
    async with opened(folder) as (archive, store, _):
        archive.sounds.put(book(), "alice", piece(3.0))
        await until(lambda: bool(store.audio.index))

    ((transcript, person, start, end, name),) = store.audio.index
    (file,) = files(folder)
    assert (transcript, person, start, end, name) == ("t1", "alice", 3.0, 3.5, file.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert file.read_bytes().startswith(b"OggS")
    assert "t1" in store.transcripts.heads


async def test_no_audio_where_nobody_agreed(tmp_path: Path) -> None:
    """Not a byte, and not even a folder. Spec: transcripts-of-calls/Audio."""
    folder = tmp_path / "audio"
    async with opened(folder) as (archive, store, _):
        archive.sounds.put(book(audio=False), "alice", piece())
        await asyncio.sleep(0.2)

    assert files(tmp_path) == []
    assert store.audio.tried == 0


async def test_what_cannot_be_noted_is_removed_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is left of which nobody knows. Spec: transcripts-of-calls/Audio."""
    monkeypatch.setattr(sounds, "FIRST_RETRY_S", 0.01)
    async with opened(tmp_path) as (archive, store, metrics):
        store.audio.faults = 2
        archive.sounds.put(book(), "alice", piece())
        await until(lambda: bool(store.audio.index))
        assert [each.name for each in files(tmp_path)] == [store.audio.index[0][4]]

        store.audio.faults = sounds.TRIES
        archive.sounds.put(book(), "alice", piece(seconds=0.25))
        await until(lambda: store.audio.faults == 0)
        await until(lambda: _lost(metrics) == 0.25)
    assert len(files(tmp_path)) == 1


def _lost(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("transcription_audio_not_kept_seconds_total")


async def test_a_disk_that_cannot_keep_up_costs_audio_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest pieces go, and are counted; nothing waits. Spec: transcripts-of-calls/Audio."""
    monkeypatch.setattr(sounds, "MOST_WAITING", 2)
    async with opened(tmp_path) as (archive, store, metrics):
        for number in range(5):
            archive.sounds.put(book(), "alice", piece(float(number)))
        await until(lambda: len(store.audio.index) == 2)
    assert [each[2] for each in store.audio.index] == [3.0, 4.0]
    assert _lost(metrics) == 1.5


async def test_a_full_disk_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are kept all the same."""
    monkeypatch.setattr(sounds, "FIRST_RETRY_S", 0.001)

    def full(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ogg, "encode", full)
    async with opened(tmp_path) as (archive, _store, metrics):
        archive.sounds.put(book(), "alice", piece())
        await until(lambda: _lost(metrics) == 0.5)
    assert files(tmp_path) == []


async def test_who_is_forgotten_is_heard_nowhere(tmp_path: Path) -> None:
    """What waits goes. Spec: transcripts-of-calls/Erase."""
    async with opened(tmp_path) as (archive, store, _):
        archive.sounds.put(book(number=1), "alice", piece())
        archive.sounds.put(book(number=1), "bob", piece(1.0))
        archive.sounds.put(book(number=2), "bob", piece(2.0))
        await archive.forget(Erasure(person="alice"), "default")
        await archive.forget(Erasure(room="room2"), "default")
        await until(lambda: bool(store.audio.index))
    assert [(each[1], each[2]) for each in store.audio.index] == [("bob", 1.0)]
    assert len(files(tmp_path)) == 1
