"""Tests of `livebot.signaling.translate`."""

import json

from livebot.ids import SessionId, TalkSessionId
from livebot.signaling import messages
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CallState,
    Participant,
    ParticipantsJoined,
    SignalingEvent,
)
from livebot.signaling.translate import MOST_NAME, room_events
from tests.support import wire


def _events(event: dict[str, object]) -> list[SignalingEvent]:
    decoded = messages.decode(json.dumps({"type": "event", "event": event})).event
    assert decoded is not None
    return room_events(decoded, wire.ROOM)


def test_call_ended_for_everybody() -> None:
    """`all` with `incall` 0 and no users."""
    update = {"roomid": "r", "incall": 0, "all": True}

    assert _events({"target": "participants", "type": "update", "update": update}) == [CallEnded()]


def test_flags_of_everybody_set_to_in_call_are_not_the_end() -> None:
    """`all` with flags is somebody starting, not ending."""
    update = {"roomid": "r", "incall": 7, "all": True}

    assert _events({"target": "participants", "type": "update", "update": update}) == []


def test_users_become_states() -> None:
    """Flags, bots and accounts are taken over."""
    users = [
        {"sessionId": "a", "inCall": 3, "userId": "alice"},
        {"sessionId": "bot", "inCall": 1, "internal": True},
    ]

    events = _events({"target": "participants", "type": "update", "update": {"users": users}})

    assert events == [
        CallChanged(
            (
                CallState(SessionId("a"), 3, user_id="alice"),
                CallState(SessionId("bot"), 1, internal=True),
            )
        )
    ]


def test_a_display_name_of_the_wrong_type_is_no_name() -> None:
    """Names come from participants, who may send anything."""
    joined = [{"sessionid": "a", "user": {"displayname": ["x"]}}]

    events = _events({"target": "room", "type": "join", "join": joined})

    assert events == [ParticipantsJoined((Participant(SessionId("a")),))]


def test_which_page_of_talk_a_session_is() -> None:
    """Both messages say it, under other names; where they do not it is not known."""
    joined = [{"sessionid": "a", "roomsessionid": "talk-a"}, {"sessionid": "b"}]
    users = [
        {"sessionId": "a", "inCall": 1, "nextcloudSessionId": "talk-a"},
        {"sessionId": "b", "inCall": 1, "nextcloudSessionId": None},
    ]

    (came,) = _events({"target": "room", "type": "join", "join": joined})
    (changed,) = _events({"target": "participants", "type": "update", "update": {"users": users}})

    assert isinstance(came, ParticipantsJoined)
    assert isinstance(changed, CallChanged)
    expected = [TalkSessionId("talk-a"), ""]
    assert [person.talk for person in came.participants] == expected
    assert [state.talk for state in changed.states] == expected


def test_ids_that_cannot_be_are_none() -> None:
    """Nobody's page, no session, no room to follow to: nothing of any length is kept."""
    long = "x" * 100_000
    joined = [
        {"sessionid": long, "roomsessionid": "talk-a"},
        {"sessionid": "a", "roomsessionid": long, "userid": long, "user": {"displayname": long}},
    ]
    users = [{"sessionId": "", "inCall": 1}, {"sessionId": "b", "nextcloudSessionId": "é"}]

    (came,) = _events({"target": "room", "type": "join", "join": joined})
    (changed,) = _events({"target": "participants", "type": "update", "update": {"users": users}})

    assert isinstance(came, ParticipantsJoined)
    (person,) = came.participants
    assert (person.session, person.talk) == ("a", "")
    assert len(person.user_id) == len(person.name) == MOST_NAME
    assert changed == CallChanged((CallState(SessionId("b"), 0),))
    for other in (long, "../x", "abc", "ROOM2"):
        assert _events({"target": "room", "type": "switchto", "switchto": {"roomid": other}}) == []
