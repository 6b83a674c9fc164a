"""What was said lately, for readers who come late (spec: readers/History)."""

import asyncio
from dataclasses import replace

import pytest

from livebot.captions.caption import MODES, Caption
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.history import MOST_ENTRIES, MOST_SEEN, History
from livebot.rooms.outbox import Outgoing
from livebot.rooms.readers import Audience, Reader
from tests.unit.rooms.test_publication import FRENCH, Script, World, _got, world

ALICE = SessionId("alice")


def _reader(name: str) -> Reader:
    return Reader(SessionId(name), "append", None, TalkSessionId(f"talk-of-{name}"))


def _item(text: str, *, final: bool = True) -> Outgoing:
    return Outgoing(ALICE, Caption(text, final=final), "en", Audience("append", "en"))


def _texts(found: list[Outgoing]) -> list[str]:
    return [item.caption.text for item in found if isinstance(item.caption, Caption)]


def test_it_is_bounded() -> None:
    """However much is said to however many."""
    history = History(1e9)
    for number in range(3 * MOST_SEEN):
        history.note(_item(str(number)), [_reader(str(number))], 0.0)

    assert len(history._entries) == MOST_ENTRIES
    assert len(history._seen) == MOST_SEEN
    found = _texts(history.missed_by(_reader("late"), 0.0))
    assert found == [str(n) for n in range(3 * MOST_SEEN - MOST_ENTRIES, 3 * MOST_SEEN)]


def test_only_what_stays_as_it_is_is_kept() -> None:
    """No partial, no notice, nothing for whom Talk does not know, and nothing where it is off."""
    history, off = History(60.0), History(0.0)
    for item in (_item("a", final=False), Outgoing(ALICE, Gap(Cause.MEDIA, 0, 5, 5), "en")):
        history.note(item, [], 0.0)
    assert history.missed_by(_reader("late"), 0.0) == []
    for each in (history, off):
        each.note(_item("a"), [], 0.0)

    assert history.missed_by(Reader(SessionId("x"), "append"), 0.0) == []
    assert off.missed_by(_reader("late"), 0.0) == []
    assert _texts(history.missed_by(_reader("late"), 60.0)) == ["a"]
    assert _texts(history.missed_by(_reader("later"), 60.1)) == []


def test_what_was_lost_is_as_new() -> None:
    """It is missed by nobody until it is sent again, and by who was to read it first, then."""
    history, bob = History(60.0), _reader("bob")
    lost = _item("b")
    history.note(_item("a"), [bob], 0.0)
    history.note(lost, [bob], 0.0)
    (first, second) = history.missed_by(_reader("dave"), 0.0)
    history.lost([lost])

    assert history.knows(first)
    assert not history.knows(second)
    assert _texts(history.missed_by(_reader("eve"), 0.0)) == ["a"]
    history.note(lost, [_reader("eve")], 0.0)
    assert _texts(history.missed_by(bob, 0.0)) == ["b"]
    assert history.missed_by(_reader("eve"), 0.0) == []


def _spoken(number: int) -> list[Outgoing]:
    """Return a sentence in both modes, in English."""
    caption = Caption(f"said {number}", final=True, start=number, end=number + 0.5)
    return [
        Outgoing(ALICE, replace(caption, mode=mode), "en", Audience(mode, "en")) for mode in MODES
    ]


def _in_french(number: int) -> Outgoing:
    caption = Caption(f"dit {number}", final=True, start=number, end=number + 0.5)
    return Outgoing(ALICE, caption, FRENCH, Audience(language=FRENCH, is_spoken=False))


def test_what_nobody_had_translated_is_there_as_it_was_said() -> None:
    """Each sentence once: in the language wanted where it is known, and not if that will come."""
    history = History(60.0)
    for number in range(4):
        for item in _spoken(number):
            history.note(item, [], 0.0)
    history.note(_in_french(1), [], 0.0)
    coming = [(ALICE, 3, 3.5)]

    for mode in MODES:
        reader = replace(_reader(f"late-{mode}"), target=FRENCH, mode=mode)
        found = history.missed_by(reader, 0.0, coming=coming)
        assert _texts(found) == ["said 0", "said 2", "dit 1"]
        assert [item.language for item in found] == ["en", "en", FRENCH]
        assert history.missed_by(reader, 0.0) == []
    assert _texts(history.missed_by(_reader("plain"), 0.0)) == [f"said {n}" for n in range(4)]


def test_what_is_said_in_the_language_wanted_is_not_there_twice() -> None:
    """It needs no translation, and each mode has its own."""
    history = History(60.0)
    for item in _spoken(0):
        history.note(item, [], 0.0)
    reader = replace(_reader("late"), target="en")

    assert _texts(history.missed_by(reader, 0.0)) == ["said 0"]


def _say(it: World, text: str, start: float) -> None:
    for mode in MODES:
        caption = Caption(text, final=True, start=start, end=start + 1, mode=mode)
        it.room._publication.publish(ALICE, caption)


@pytest.mark.virtual_time
async def test_who_comes_while_it_is_translated_waits_for_that() -> None:
    """The first reader of a language gets what was said before as it was said, then no more so."""
    async with world(translator=Script(takes_s=3.0)) as it:
        it.call(0, 1, 2)
        it.ask(0)
        _say(it, "one", 1.0)
        await asyncio.sleep(1.0)
        it.ask(1, "append", FRENCH)
        _say(it, "two", 3.0)
        await asyncio.sleep(1.0)
        it.ask(2, "replace", FRENCH)
        await asyncio.sleep(10.0)

        expected = [("one", "en"), ("two from en in fr", FRENCH)]
        assert _got(it, 1) == _got(it, 2) == expected
        assert _got(it, 0) == [("one", "en"), ("two", "en")]
