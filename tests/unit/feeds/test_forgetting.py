"""Nothing stays in a feed of somebody who is forgotten."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.feeds.events import (
    Event,
    EventWord,
    Final,
    Gap,
    Interim,
    Notice,
    Numbered,
    Snapshot,
    Speaker,
)
from livebot.feeds.feed import Feed

pytestmark = pytest.mark.virtual_time

ALICE, BOB = Speaker("1", "Alice"), Speaker("2", "Bob")
SECRETS = {"1": b"hers", "2": b"his"}


def final(name: str, who: Speaker) -> Final:
    """Return an utterance of one word, which tells whose it is."""
    text = SECRETS[who.id].decode() + name
    return Final(name, text, (EventWord(text, 0.0, 1.0),), who, end=1.0)


def interim(name: str, who: Speaker) -> Interim:
    """Return the beginning of an utterance."""
    return Interim(name, SECRETS[who.id].decode() + name, who)


def gap(name: str, who: Speaker) -> Gap:
    """Return a gap."""
    return Gap(name, "media", 1.0, None, 2.0, who)


EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda make, number, who: make(f"{who.id}-{number}", who),
            st.sampled_from([final, interim, gap]),
            st.integers(0, 9),
            st.sampled_from([ALICE, BOB]),
        ),
        st.just(Notice("lag", "late")),
    ),
    max_size=40,
)


def shown(told: list[Numbered] | Snapshot) -> bytes:
    """Return all that a reader gets, as bytes to be searched."""
    return msgspec.json.encode(told)


def texts(snapshot: Snapshot) -> dict[str, str]:
    """Return what a page shows."""
    finals = {each.utterance: each.text for each in snapshot.finals}
    return finals | {each.utterance: each.text for each in snapshot.interims}


@given(EVENTS, EVENTS)
async def test_who_is_forgotten_is_nowhere_and_others_are_as_they_were(
    before: list[Event], after: list[Event]
) -> None:
    """Snapshot and kept events, whenever a reader comes; numbers have no gap."""
    feed, other = Feed("room/a/b"), Feed("room/a/b", epoch=0.0)
    for event in before:
        feed.publish(event)
        if not isinstance(event, Notice) and event.speaker == BOB:
            other.publish(event)

    feed.forget(lambda who: who.id == "1")

    for told in (feed.snapshot(), await feed.read(0) if feed.seq else []):
        assert b"hers" not in shown(told)
        assert b"Alice" not in shown(told)
    assert feed.snapshot().finals == other.snapshot().finals
    assert feed.snapshot().interims == other.snapshot().interims
    for event in after:
        feed.publish(event)
    read = await feed.read(0) if feed.seq else []
    assert isinstance(read, list)
    assert [each.seq for each in read] == [*range(1, feed.seq + 1)]


@given(EVENTS)
async def test_who_reads_along_is_told_what_is_taken_back(events: list[Event]) -> None:
    """A reader that applies what it is told ends with what a new one finds."""
    feed = Feed("room/a/b")
    for event in events:
        feed.publish(event)
    seen, snapshot = feed.seq, feed.snapshot()
    page = texts(snapshot)

    count = feed.forget(lambda who: who.id == "1")

    told = await feed.read(seen) if feed.seq > seen else []
    assert isinstance(told, list)
    assert len(told) == count
    for each in told:
        assert isinstance(each.event, Final)
        assert each.event.text == ""
        page.pop(each.event.utterance, None)
    assert page == texts(feed.snapshot())


async def test_a_closed_feed_can_be_forgotten_in() -> None:
    """Readers who are still reading the last of it find nothing."""
    feed = Feed("room/a/b")
    feed.publish(final("1", ALICE))
    feed.close()

    assert feed.forget(lambda _: True) == 1
    assert b"hers" not in shown(feed.snapshot())
    assert b"hers" not in shown(await feed.read(0))
