"""Tests of `livebot.rooms.roster`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.roster import MOST_FORMER, Roster
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CallState,
    Participant,
    ParticipantsJoined,
    ParticipantsLeft,
    SignalingEvent,
)
from tests.support.recordings import RECORDINGS, load
from tests.unit.signaling.test_replay import Replay, room_of

OWN = SessionId("own")
STATES = st.builds(
    CallState,
    session=st.sampled_from([SessionId(name) for name in ("own", "a", "b", "c")]),
    flags=st.integers(0, 15),
    internal=st.booleans(),
)


def _roster(events: list[SignalingEvent]) -> Roster:
    roster = Roster(own=OWN)
    for event in events:
        roster.apply(event)
    return roster


@given(st.lists(STATES), st.data())
def test_any_split_of_updates_gives_the_same_set(
    states: list[CallState], data: st.DataObject
) -> None:
    """It does not matter how the server packs what it has to say."""
    cut = data.draw(st.integers(0, len(states)))
    whole = _roster([CallChanged(tuple(states))])
    parts = _roster([CallChanged(tuple(states[:cut])), CallChanged(tuple(states[cut:]))])

    assert (parts.speakers, set(parts.people)) == (whole.speakers, set(whole.people))


@given(st.lists(STATES))
def test_we_and_bots_never_speak_nor_read(states: list[CallState]) -> None:
    """Whatever flags they have."""
    roster = _roster([CallChanged(tuple(states))])
    newest = {state.session: state for state in states}

    assert OWN not in roster.speakers | set(roster.people)
    for session in roster.speakers | set(roster.people):
        assert not newest[session].internal
        assert newest[session].in_call


@pytest.mark.parametrize(
    ("flags", "speaks"), [(0, False), (1, False), (2, False), (3, True), (7, True), (5, False)]
)
def test_who_is_in_the_call_with_audio_speaks(flags: int, speaks: bool) -> None:
    """Both bits are needed."""
    roster = _roster([CallChanged((CallState(SessionId("a"), flags),))])

    assert (SessionId("a") in roster.speakers) is speaks


def test_leaving_and_the_end_of_the_call_empty_the_roster() -> None:
    """A session that left is gone at once; the end of the call takes all."""
    alice, bob = SessionId("a"), SessionId("b")
    changed = CallChanged((CallState(alice, 3), CallState(bob, 3)))

    assert _roster([changed, ParticipantsLeft((alice,))]).people == {bob: ""}
    assert _roster([changed, CallEnded()]).people == {}


def test_names_come_with_joining() -> None:
    """The display name, else the account, else nothing."""
    joined = ParticipantsJoined(
        (Participant(SessionId("a"), "alice", "Alice"), Participant(SessionId("b"), "bob"))
    )
    roster = _roster([joined])

    assert [roster.name(SessionId(s)) for s in "abc"] == ["Alice", "bob", ""]


@pytest.mark.parametrize("name", [n for n in RECORDINGS if n.endswith("-bot")])
def test_recorded_bots_are_never_listened_to(name: str) -> None:
    """In no recorded call does the bot take itself for a speaker."""
    lines = load(name)
    replay = Replay(room_of(lines))
    replay.run(lines)
    assert replay.protocol.session is not None or replay.errors

    roster = Roster(own=replay.protocol.session)
    for event in replay.events:
        roster.apply(event)
        assert replay.protocol.session not in roster.speakers


def _joined(session: str, user: str) -> ParticipantsJoined:
    return ParticipantsJoined((Participant(SessionId(session), user_id=user),))


def _called(session: str) -> CallChanged:
    return CallChanged((CallState(SessionId(session), 3),))


def test_who_comes_back_is_known_by_the_account() -> None:
    """After a restart words of before are shown under the session that the speaker has now."""
    roster = _roster([_joined("a1", "alice"), _joined("g1", ""), _called("a1"), _called("g1")])
    roster.reset(SessionId("own-2"))
    assert roster.heir(SessionId("a1")) == "a1"
    for event in (_joined("a2", "alice"), _joined("g2", ""), _called("a2"), _called("g2")):
        roster.apply(event)

    assert roster.heir(SessionId("a1")) == "a2"
    assert roster.heir(SessionId("a2")) == "a2"
    assert roster.heir(SessionId("g1")) == "g1"


def test_few_of_those_who_left_are_remembered() -> None:
    """A room where people come and go for months does not grow."""
    roster = Roster(own=OWN)
    for number in range(3 * MOST_FORMER):
        roster.apply(_joined(f"s{number}", f"user{number}"))
        roster.apply(ParticipantsLeft((SessionId(f"s{number}"),)))

    assert len(roster._former) == MOST_FORMER


@given(st.lists(st.sampled_from(["join", "join unnamed", "call", "call unnamed"]), min_size=1))
def test_which_page_of_talk_it_is_stays_known(events: list[str]) -> None:
    """Once somebody has said it, messages that do not say it change nothing."""
    session, talk = SessionId("a"), TalkSessionId("talk-a")
    roster = _roster([CallChanged((CallState(session, 1),))])
    for event in events:
        said = TalkSessionId("") if event.endswith("unnamed") else talk
        before = roster.version
        if event.startswith("join"):
            roster.apply(ParticipantsJoined((Participant(session, talk=said),)))
        else:
            roster.apply(CallChanged((CallState(session, 1, talk=said),)))
        assert roster.version != before

    is_known = any(not event.endswith("unnamed") for event in events)
    assert roster.people == {session: talk if is_known else ""}
    roster.reset(SessionId("own-2"))
    assert roster.people == {}


def test_a_guest_who_comes_back_is_known_by_the_page() -> None:
    """Guests have no account; their page in Talk stays the same."""
    page = TalkSessionId("talk-g")
    first, second = (CallState(SessionId(s), 3, talk=page) for s in ("g1", "g2"))
    roster = _roster([CallChanged((first,))])
    roster.reset(SessionId("own-2"))
    roster.apply(CallChanged((second,)))

    assert roster.heir(SessionId("g1")) == "g2"
