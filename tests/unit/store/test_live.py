"""Live sessions: what they said lately is there for a client that comes back."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from livebot.feeds.directory import live_feed
from livebot.feeds.events import Event, EventWord, Final, Gap, Interim, Notice, Numbered, Speaker
from livebot.feeds.feed import MOST_EVENTS, Feed
from livebot.metrics import Metrics
from livebot.store import Store, journal
from livebot.store.tables import LIVE_EVENTS, LIVE_SESSIONS
from tests.support import kept

ANNA = Speaker("s1", "Anna")


async def test_a_session_is_remembered(store: Store) -> None:
    """A client that comes back finds its session, whether it ended or not."""
    record = kept.live(options='{"a": "ä"}')
    await store.live.open(record)
    got = await store.live.get(record.id)
    assert got is not None
    assert replace(got, seen_at=0.0) == record
    assert got.seen_at == pytest.approx(time.time(), abs=60)
    await store.live.close(record.id)
    closed = await store.live.get(record.id)
    assert closed is not None
    assert closed.closed
    assert await store.live.get(kept.new_id()) is None


async def test_events_come_back_as_they_were(store: Store) -> None:
    """Each kind of event, in order.

    Spec: store/Live sessions.
    """
    said: list[Event] = [
        Interim("u1", "he said 😀", ANNA, "de", start=1.5, stable=3),
        Final("u1", "he", (EventWord("he", 1, None, joined=True),), ANNA, latency_ms=7),
        Gap("g1", "engine", 1.0, None, 0.5),
        Notice("late", 'a "quoted" text\0'),
    ]
    feed = await _feed(store)
    for event in said:
        feed.publish(event)
    await _kept(feed, len(said))
    events = await store.live.events(feed.name.removeprefix("live/"))
    assert [one.event for one in events] == said
    assert [one.seq for one in events] == [1, 2, 3, 4]


async def test_readers_get_only_what_is_kept(store: Store) -> None:
    """An event that a reader has is in the database at that moment.

    Spec: store/Live sessions.
    """
    feed = await _feed(store)
    for number in range(1, 30):
        feed.publish(Interim("u", str(number)))
        got = await feed.read(number - 1)
        assert isinstance(got, list)
        events = await store.live.events(feed.name.removeprefix("live/"))
        assert [one.seq for one in events] == list(range(1, number + 1))


async def test_many_sessions_share_transactions_and_keep_their_order(store: Store) -> None:
    """Fifty sessions at once: each has all of its own, in order."""
    feeds = [await _feed(store) for _ in range(50)]
    for number in range(20):
        for feed in feeds:
            feed.publish(Interim("u", f"{feed.name} {number}"))
    for feed in feeds:
        await _kept(feed, 20)
        events = await store.live.events(feed.name.removeprefix("live/"))
        assert [one.event for one in events] == [
            Interim("u", f"{feed.name} {number}") for number in range(20)
        ]


async def test_only_the_newest_events_stay(store: Store) -> None:
    """As many as a feed has itself, or a few more."""
    feed = await _feed(store)
    for number in range(MOST_EVENTS + 2 * journal.TRIM_EVERY):
        feed.publish(Interim("u", str(number)))
    await _kept(feed, MOST_EVENTS + 2 * journal.TRIM_EVERY)
    events = await store.live.events(feed.name.removeprefix("live/"))
    assert events[-1].seq == MOST_EVENTS + 2 * journal.TRIM_EVERY
    assert MOST_EVENTS <= len(events) <= MOST_EVENTS + journal.TRIM_EVERY


async def test_events_of_a_forgotten_session_are_let_through(store: Store) -> None:
    """Nobody waits for what is not to be kept, and nothing comes back."""
    feed = await _feed(store)
    feed.publish(Interim("u", "before"))
    await _kept(feed, 1)
    session = feed.name.removeprefix("live/")
    await store.live.forget(session)
    feed.publish(Interim("u", "after"))
    await _kept(feed, 2)
    assert not await store.live.events(session)
    assert await store.live.get(session) is None


async def test_what_comes_after_a_hole_is_what_comes_back(store: Store) -> None:
    """A feed is restored without a gap: from the last hole on."""
    record = kept.live()
    await store.live.open(record)
    told: list[int] = []
    for seq in (1, 2, 4, 5):
        store.live.put(live_feed(record.id), Numbered(seq, 0.0, Notice("x", "")), told.append)
    await store._journal.flushed()
    assert told == [1, 2, 4, 5]
    assert [one.seq for one in await store.live.events(record.id)] == [4, 5]


async def test_sessions_expire_unless_they_are_open_here(store: Store) -> None:
    """Those that nobody speaks in go on as long as their client is there.

    Spec: store/Retention.
    """
    old, going = kept.live(), kept.live()
    await store.live.open(old)
    await store.live.open(going)
    store.live._open.discard(old.id)  # as after a restart
    async with store._database.writing() as connection:
        await connection.execute(LIVE_SESSIONS.update().values(seen_at=1.0))
    await store._keeper.round(time.time())
    assert await store.live.get(old.id) is None
    assert await store.live.get(going.id) is not None


async def test_a_resumed_session_is_open_again(store: Store) -> None:
    """A client that comes back after its session ended goes on where it was."""
    record = kept.live(epoch=7.0)
    await store.live.open(record)
    await store.live.close(record.id)
    await store.live.open(kept.live(id=record.id, epoch=8.0))
    again = await store.live.get(record.id)
    assert again is not None
    assert (again.closed, again.epoch) == (False, 7.0)


async def test_what_waits_is_written_when_the_store_closes(url: str, tmp_path: Path) -> None:
    """Nothing that was said is lost by stopping."""
    record = kept.live()
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        await store.live.open(record)
        feed = Feed(live_feed(record.id), journal=store.live)
        for number in range(5):
            feed.publish(Interim("u", str(number)))
    assert feed.seq == 5
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        assert len(await store.live.events(record.id)) == 5


async def test_captions_do_not_wait_for_a_database_that_fails(store: Store) -> None:
    """Events are let through in order and counted; once it works again, they are kept.

    Spec: store/Live sessions.
    """
    feed = await _feed(store)
    session = feed.name.removeprefix("live/")
    async with store._database.writing() as connection:
        await connection.run_sync(LIVE_EVENTS.drop)
    for number in range(3):
        feed.publish(Interim("u", str(number)))
    await _kept(feed, 3)
    assert store._journal.lost == 3
    assert any("not kept" in trouble for trouble in store.troubles())
    async with store._database.writing() as connection:
        await connection.run_sync(LIVE_EVENTS.create)
    feed.publish(Interim("u", "again"))
    await _kept(feed, 4)
    assert [one.seq for one in await store.live.events(session)] == [4]
    assert not store.troubles()


async def _feed(store: Store) -> Feed:
    record = kept.live()
    await store.live.open(record)
    return Feed(live_feed(record.id), journal=store.live)


async def _kept(feed: Feed, seq: int) -> None:
    async with asyncio.timeout(50):
        while feed.seq < seq:
            await feed.read(feed.seq)
