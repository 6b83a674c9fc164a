"""Tests of `livebot.rooms.people`."""

from livebot.feeds.events import Speaker
from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.people import MOST_SESSIONS, People
from livebot.signaling.events import CallChanged, CallState, Participant, ParticipantsJoined


def joined(session: str, user: str = "", name: str = "", talk: str = "") -> ParticipantsJoined:
    """Return that somebody came."""
    person = Participant(SessionId(session), user, name, talk=TalkSessionId(talk))
    return ParticipantsJoined((person,))


def test_nobody_outside_learns_a_session() -> None:
    """People have numbers, in the order in which they speak."""
    people = People()
    people.apply(joined("secret-session-1", "alice", "Alice"))
    people.apply(joined("secret-session-2", name="Bob"))

    assert people.speaker(SessionId("secret-session-2")) == Speaker("1", "Bob")
    assert people.speaker(SessionId("secret-session-1")) == Speaker("2", "Alice")


def test_who_comes_back_is_the_same() -> None:
    """By account or by page; two guests of one name are two people, and one to be erased."""
    people = People()
    people.apply(joined("a1", "alice", "Alice"))
    people.apply(joined("g1", name="Bob", talk="page1"))
    people.apply(joined("g2", name="Bob", talk="page2"))
    first = [people.speaker(SessionId(each)) for each in ("a1", "g1", "g2")]
    people.apply(joined("a2", "alice", "Alice"))
    people.apply(joined("g3", name="Bob", talk="page1"))

    assert [who.id for who in first] == ["1", "2", "3"]
    assert people.speaker(SessionId("a2")) == first[0]
    assert people.speaker(SessionId("g3")) == first[1]
    assert people.person(SessionId("g1")) == people.person(SessionId("g2")) == "guest:Bob"


def test_what_is_known_later_is_known_from_then_on() -> None:
    """A number stays, a name comes; Talk's own word for a session says whose account it is."""
    people = People()
    session = SessionId("a1")
    before = people.speaker(session)
    people.apply(CallChanged((CallState(session, 3, user_id="alice"),)))

    assert before == Speaker("1", "")
    assert people.speaker(session) == Speaker("1", "alice")
    assert people.person(session) == "alice"
    people.apply(joined("a2", "alice", "Alice"))
    assert people.speaker(SessionId("a2")).id == "1"


def test_accounts_and_guests_are_found_again() -> None:
    """A guest who calls herself like an account is not that account, nor the other way."""
    people = People()
    people.apply(joined("a1", "alice", "Alice"))
    people.apply(joined("g1", name="Alice"))
    account, guest = people.speaker(SessionId("a1")), people.speaker(SessionId("g1"))

    assert people.is_speaker(account, "alice")
    assert not people.is_speaker(account, "guest:Alice")
    assert people.is_speaker(guest, "guest:Alice")
    assert not people.is_speaker(guest, "alice")
    assert not people.is_speaker(guest, "bob")
    assert not people.is_speaker(guest, "")


def test_memory_has_a_bound() -> None:
    """Whoever comes and goes for days does not fill it."""
    people = People()
    for number in range(MOST_SESSIONS + 10):
        people.apply(joined(f"s{number}", f"user{number}"))
        people.speaker(SessionId(f"s{number}"))

    assert len(people._sessions) == MOST_SESSIONS
    assert len(people._numbers) <= 2 * MOST_SESSIONS
