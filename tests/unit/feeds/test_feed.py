"""One conversation's events, for any number of readers."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import NotFoundError
from livebot.feeds.directory import Feeds, live_feed, room_feed
from livebot.feeds.events import (
    Event,
    EventWord,
    Final,
    Gap,
    Interim,
    Notice,
    Numbered,
    Snapshot,
)
from livebot.feeds.feed import MOST_AT_ONCE, MOST_EVENTS, MOST_FINALS, MOST_GAPS, Feed

pytestmark = pytest.mark.virtual_time


def final(name: str) -> Final:
    """Return an utterance of one word."""
    return Final(name, name, (EventWord(name, 0.0, 1.0),), end=1.0)


class SlowJournal:
    """Keeps events when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Numbered, Callable[[int], None]]] = []

    def put(self, feed: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Take an event in."""
        del feed
        self.waiting.append((numbered, done))

    def keep(self, count: int) -> None:
        """Keep the oldest ones."""
        for numbered, done in self.waiting[:count]:
            done(numbered.seq)
        del self.waiting[:count]


async def everything(feed: Feed, after: int = 0) -> list[Numbered]:
    """Read to the end; a snapshot is a failure."""
    found: list[Numbered] = []
    while batch := await feed.read(after):
        assert not isinstance(batch, Snapshot)
        found += batch
        after = batch[-1].seq
    return found


async def test_readers_get_all_events_in_order_whenever_they_come() -> None:
    """Early or late, fast or slow: the same, without a gap. Spec: live-events/Numbers."""
    feed = Feed("f")
    early = asyncio.create_task(everything(feed))

    async def slow() -> list[int]:
        seen, after = [], 0
        while batch := await feed.read(after):
            assert not isinstance(batch, Snapshot)
            await asyncio.sleep(0.5)
            seen += [each.seq for each in batch]
            after = batch[-1].seq
        return seen

    reading = asyncio.create_task(slow())
    for number in range(1000):
        feed.publish(final(f"u{number}"))
        if number % 10 == 0:
            await asyncio.sleep(0.01)
    late = asyncio.create_task(everything(feed, after=990))
    await asyncio.sleep(0)
    feed.close()

    assert [each.seq for each in await early] == list(range(1, 1001))
    assert await reading == list(range(1, 1001))
    assert [each.seq for each in await late] == list(range(991, 1001))


def scripted(kind: str, number: int) -> Event:
    """Return an event; four in a row are of one utterance or gap."""
    name = f"u{number // 4}"
    match kind:
        case "i":
            return Interim(name, f"text {number}")
        case "f":
            return final(name)
        case "g":
            return Gap(f"g{number // 4}", "media", float(number), None, 1.0)
        case _:
            return Notice("code", "text")


@given(st.lists(st.sampled_from("iifgn"), max_size=80), st.integers(0, 80))
async def test_a_snapshot_and_what_follows_is_all_there_is(script: list[str], at: int) -> None:
    """Whenever a reader comes, it knows in the end what the first one knows.

    Spec: live-events/Snapshots.
    """
    feed = Feed("f", epoch=7.0)
    seen: Snapshot | None = None
    for number, kind in enumerate(script):
        if number == at:
            seen = feed.snapshot()
        feed.publish(scripted(kind, number))
    feed.close()
    seen = seen or feed.snapshot()

    interims = {each.utterance: each for each in seen.interims}
    gaps = {each.gap: each for each in seen.gaps}
    finals = list(seen.finals)
    for numbered in await everything(feed, seen.seq):
        match numbered.event:
            case Interim() as event:
                interims[event.utterance] = event
            case Final() as event:
                interims.pop(event.utterance, None)
                finals.append(event)
            case Gap() as event:
                gaps[event.gap] = event
            case Notice():
                pass
    now = feed.snapshot()
    assert (now.finals, now.interims) == (tuple(finals), tuple(interims.values()))
    assert {each.gap: each for each in now.gaps} == gaps
    assert now.epoch == 7.0


async def test_who_falls_too_far_behind_gets_a_snapshot() -> None:
    """Memory is bounded whoever does not read. Spec: live-events/Slow readers."""
    feed = Feed("f")
    for number in range(MOST_EVENTS + 10):
        feed.publish(final(f"u{number}"))

    behind, ahead = await feed.read(9), await feed.read(MOST_EVENTS + 1000)
    just = await feed.read(10)

    for found in (behind, ahead):
        assert isinstance(found, Snapshot)
        assert found.seq == MOST_EVENTS + 10
        assert len(found.finals) == MOST_FINALS
        assert not found.complete
    assert not isinstance(just, Snapshot)
    assert [each.seq for each in just] == list(range(11, 11 + MOST_AT_ONCE))


async def test_gaps_are_bounded() -> None:
    """The newest are kept."""
    feed = Feed("f")
    for number in range(MOST_GAPS + 5):
        feed.publish(Gap(f"g{number}", "media", 0.0, None, 1.0))

    assert next(gap.gap for gap in feed.snapshot().gaps) == "g5"


async def test_readers_get_what_is_kept_only() -> None:
    """What anybody was told can be told again. Spec: live-events/Journal."""
    journal = SlowJournal()
    feed = Feed("f", journal=journal)
    for number in range(3):
        feed.publish(final(f"u{number}"))
    reading = asyncio.create_task(feed.read(0))

    await asyncio.sleep(1)
    assert not reading.done()
    assert feed.snapshot().finals == ()
    journal.keep(2)
    found = await reading
    assert not isinstance(found, Snapshot)
    assert [each.seq for each in found] == [1, 2]

    feed.close()
    last = asyncio.create_task(feed.read(2))
    await asyncio.sleep(1)
    assert not last.done()
    journal.keep(1)
    assert [each.seq for each in await everything(feed)] == [1, 2, 3]


async def test_a_feed_goes_on_where_the_journal_ends() -> None:
    """After a restart, numbers and utterances go on. Spec: live-events/Journal."""
    kept = [Numbered(seq, 1.0, final(f"u{seq}")) for seq in range(5, 9)]
    feed = Feed("f", restored=kept, epoch=3.0)

    assert feed.seq == 8
    assert feed.publish(final("u9")) == 9
    feed.close()
    assert [each.seq for each in await everything(feed, after=4)] == [5, 6, 7, 8, 9]
    whole = await feed.read(0)
    assert isinstance(whole, Snapshot)
    assert not whole.complete


async def test_a_closed_feed_takes_nothing() -> None:
    """That is a defect of whoever publishes."""
    feed = Feed("f")
    feed.close()

    with pytest.raises(RuntimeError):
        feed.publish(final("u"))


async def test_feeds_are_found_while_they_are_open() -> None:
    """By what they are of; afterwards nobody finds them, and readers end."""
    feeds = Feeds()
    call, session = Feed(room_feed("default", "abcd")), Feed(live_feed("0a"))

    with feeds.listed(call), feeds.listed(session):
        assert feeds.get("room/default/abcd") is call
        assert feeds.get("live/0a") is session
        assert len(feeds) == 2
        with feeds.listed(successor := Feed(call.name)):
            assert feeds.get(call.name) is successor
    assert call.is_closed
    for gone in (call, session):
        with pytest.raises(NotFoundError):
            feeds.get(gone.name)
