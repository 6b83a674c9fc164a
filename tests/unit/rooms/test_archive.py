"""Tests of `livebot.rooms.archive` and `livebot.rooms.book`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.feeds.events import EventWord
from livebot.metrics import Metrics
from livebot.rooms import archive as module
from livebot.rooms.archive import LAST_S, MOST_WAITING, Archive
from livebot.rooms.book import Book, Ending
from livebot.rooms.keeping import Erasure
from livebot.store.records import Kind, StoredGap, StoredUtterance, TranscriptHead
from tests.support.scripted_store import ScriptedAudio, ScriptedStore

pytestmark = pytest.mark.virtual_time

ENDING = Ending(100.0, 60.0, "en")


def book(number: int = 1, **given_: Any) -> Book:
    """Return a transcript of a room."""
    head = TranscriptHead(
        id=f"t{number}", kind=Kind.CALL, owner="ops", backend="default", room=f"room{number}"
    )
    return Book(head, **given_)


def said(text: str, person: str = "alice", start: float = 1.0) -> StoredUtterance:
    """Return an utterance."""
    words = (EventWord(text, start, start + 1),)
    return StoredUtterance(text=text, words=words, start=start, end=start + 1, person=person)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Archive, ScriptedStore, Metrics]]:
    """Open an archive on a store that does as it is told."""
    store, metrics = ScriptedStore(ScriptedAudio(Path("/nowhere"))), Metrics()
    archive = Archive(store, metrics)  # type: ignore[arg-type]  # it has what is needed
    async with archive:
        yield archive, store, metrics


def dropped(metrics: Metrics) -> float | None:
    """Return how many utterances were dropped."""
    return metrics.registry.get_sample_value("transcription_transcripts_dropped_total")


@given(st.lists(st.integers(1, 3), max_size=60), st.lists(st.integers(0, 3), max_size=10))
async def test_everything_is_kept_once_and_in_order(rooms: list[int], faults: list[int]) -> None:
    """Of any number of rooms, however often the store is away meanwhile."""
    books = {number: book(number) for number in (1, 2, 3)}
    async with opened() as (archive, store, _):
        for at, number in enumerate(rooms):
            archive.add(books[number], said(f"{number}-{at}"))
            if at < len(faults):
                store.transcripts.faults = faults[at]
                await asyncio.sleep(faults[at])
        for each in books.values():
            archive.end(each, ENDING)
        await asyncio.sleep(120)

    for number, each in books.items():
        expected = [f"{number}-{at}" for at, its in enumerate(rooms) if its == number]
        assert [u.text for u in store.transcripts.said.get(each.head.id, [])] == expected
        assert (each.head.id in store.transcripts.ended) == bool(expected)


async def test_nobody_waits_for_a_store_that_is_away() -> None:
    """It is tried again; that is told until it works. Spec: transcripts-of-calls/Store away."""
    one = book()
    async with opened() as (archive, store, metrics):
        store.transcripts.is_away = True
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(500):
            archive.add(one, said(str(number)))
        assert loop.time() == begun

        await asyncio.sleep(20)
        assert archive.troubles() == ["500 utterances of calls wait to be kept"]
        store.transcripts.is_away = False
        await asyncio.sleep(60)
        assert archive.troubles() == []
        assert archive.waiting == 0
        errors = metrics.registry.get_sample_value(
            "transcription_errors_total", {"component": "transcripts", "type": "StoreError"}
        )
        assert 4 <= (errors or 0) <= 12
    assert dropped(metrics) == 0


async def test_what_does_not_fit_goes_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is counted. Spec: transcripts-of-calls/Store away."""
    monkeypatch.setattr(module, "MOST_WAITING", 100)
    one = book()
    async with opened() as (archive, store, metrics):
        store.transcripts.is_away = True
        for number in range(130):
            archive.add(one, said(str(number)))
        assert archive.waiting == 100
        store.transcripts.is_away = False
        await asyncio.sleep(60)
    assert store.transcripts.texts == [str(number) for number in range(30, 130)]
    assert dropped(metrics) == 30
    assert MOST_WAITING == 10_000


async def test_a_store_that_hangs_is_one_that_is_away() -> None:
    """What it was given is given again."""
    one = book()
    async with opened() as (archive, store, _):
        store.transcripts.takes_s = 3600.0
        archive.add(one, said("hello"))
        await asyncio.sleep(15)
        store.transcripts.takes_s = 0.0
        await asyncio.sleep(60)
    assert store.transcripts.texts == ["hello"]


async def test_stopping_waits_for_the_last_words_and_not_for_ever() -> None:
    """Those that could not be kept are counted as dropped."""
    loop = asyncio.get_running_loop()
    async with opened() as (archive, store, metrics):
        store.transcripts.takes_s = 1.0
        one = book()
        archive.add(one, said("kept"))
        archive.end(one, ENDING)
    assert store.transcripts.texts == ["kept"]
    assert store.transcripts.ended == {"t1": 60.0}

    async with opened() as (archive, store, metrics):
        store.transcripts.is_away = True
        archive.add(book(), said("lost"))
        stopping = loop.time()
    assert loop.time() - stopping <= LAST_S + 1
    assert dropped(metrics) == 1


async def test_a_transcript_in_which_nothing_was_said_is_none() -> None:
    """The bot was in the call and heard nobody."""
    async with opened() as (archive, store, _):
        archive.end(book(), ENDING)
        await asyncio.sleep(1)
    assert store.transcripts.heads == {}


async def test_one_transcript_that_cannot_be_kept_holds_up_no_other() -> None:
    """The next one is tried before it is tried again."""
    async with opened() as (archive, store, _):
        store.transcripts.faults = 1
        archive.add(book(1), said("one"))
        archive.add(book(2), said("two"))
        await asyncio.sleep(10)
    assert [*store.transcripts.said] == ["t2", "t1"]


async def test_who_is_forgotten_is_in_no_batch() -> None:
    """What waits goes; what is being written is waited for. Spec: transcripts-of-calls/Erase."""
    one = book()
    async with opened() as (archive, store, _):
        store.transcripts.is_away = True
        archive.add(one, said("hers"))
        archive.add(one, said("his", person="bob"))
        await asyncio.sleep(0.01)
        await archive.forget(Erasure(person="alice"), "other-backend")
        assert archive.waiting == 2
        await archive.forget(Erasure(person="alice"), "default")
        store.transcripts.is_away = False
        await asyncio.sleep(10)
        assert store.transcripts.texts == ["his"]

        store.transcripts.takes_s = 0.5
        archive.add(one, said("hers, late"))
        await asyncio.sleep(0.1)
        await archive.forget(Erasure(person="alice"), "default")
        # Whoever erases now finds it there.
        assert store.transcripts.texts == ["his", "hers, late"]


@pytest.mark.parametrize("erasure", [Erasure(room="room1"), Erasure(transcript="t1")])
async def test_nothing_is_added_to_what_was_erased(erasure: Erasure) -> None:
    """Neither what waited nor what comes. Spec: transcripts-of-calls/Erase."""
    one, other = book(1), book(2)
    async with opened() as (archive, store, _):
        store.transcripts.is_away = True
        archive.add(one, said("before"))
        archive.add(other, said("elsewhere"))
        await asyncio.sleep(0.01)
        await archive.forget(erasure, "default")
        store.transcripts.is_away = False
        archive.add(one, said("after"))
        archive.end(one, ENDING)
        await asyncio.sleep(60)
    assert store.transcripts.texts == ["elsewhere"]
    assert [*store.transcripts.heads] == ["t2"]


def test_times_are_on_the_transcripts_own_time_line() -> None:
    """It may begin in the middle of a call; what began before it begins with it."""
    it = book(origin=10.0)

    placed = it.placed(said("hello", start=9.5))
    assert isinstance(placed, StoredUtterance)
    assert (placed.start, placed.end) == (0.0, 0.5)
    assert placed.words == (EventWord("hello", 0.0, 0.5),)
    gap = it.placed(StoredGap(cause="media", start=12.0, end=None, lost_s=1.0))
    assert (gap.start, gap.end) == (2.0, None)
    untimed = StoredUtterance(text="a", words=(EventWord("a"),), start=11.0, end=12.0)
    assert it.placed(untimed).words == (EventWord("a"),)  # type: ignore[union-attr]
