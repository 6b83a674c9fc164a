"""What was said lately, for readers who come late (spec: readers/History)."""

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.history import MOST_ENTRIES, MOST_SEEN, History
from livebot.rooms.outbox import Outgoing
from livebot.rooms.readers import Audience, Reader

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
