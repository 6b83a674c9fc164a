"""Tests of `livebot.signaling.protocol`.

Spec: signaling-session/Conversation of a room
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.signaling.events import (
    Entered,
    Offered,
    Resumed,
    RoomClosed,
    SubscriptionRefused,
    Switched,
)
from livebot.signaling.login import RESUME_WINDOW_S
from livebot.signaling.messages import Transcript
from livebot.signaling.outgoing import MOST_BYTES
from livebot.signaling.protocol import (
    BYE_TIMEOUT_S,
    HELLO_TIMEOUT_S,
    JOIN_TIMEOUT_S,
    Protocol,
)
from livebot.signaling.refusals import SignalingThrottledError
from livebot.signaling.state import LEGAL, State
from livebot.signaling.subscriptions import OFFER_TIMEOUT_S
from tests.support import wire
from tests.support.wire import (
    NONCE,
    OWN,
    ROOM,
    call,
    error,
    hello,
    in_room,
    new_protocol,
    offer,
    sent,
)
from tests.support.wire import room as room_reply

ALICE = SessionId("alice")
CAPTION = Transcript(speaker=ALICE, text="hello", language="en", final=True)

SESSIONS = st.sampled_from(["alice", "bob", OWN, ""])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = [
    "id", "type", "hello", "room", "error", "bye", "event", "message", "welcome", "sessionid",
    "resumeid", "server", "features", "roomid", "code", "target", "update", "users", "inCall",
    "sessionId", "internal", "all", "incall", "join", "leave", "sender", "data", "payload", "sdp",
    "sid", "candidate", "sdpMid", "roomType", "reason", "user", "displayname",
]  # fmt: skip
VALUES = [
    "hello", "room", "error", "bye", "event", "message", "welcome", "participants", "update",
    "offer", "candidate", "video", "alice", "1", "2", "3", "mcu", "room1", "no_such_session",
    "invalid_token", "already_joined", "client_not_found", "join", "leave", "delete", "session",
]  # fmt: skip
STRUCTURED = st.recursive(
    SCALARS | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)
REAL = st.sampled_from(
    [
        hello(),
        hello(session="other"),
        room_reply(),
        room_reply(token=""),
        error("1", "no_such_session"),
        error("3", "already_joined"),
        error("4", "client_not_found"),
        call(("alice", 3, False), (OWN, 1, True)),
        call(("alice", 0, False)),
        offer("alice"),
        offer("alice", sid=""),
        offer("bob"),
        '{"type":"bye"}',
        '{"type":"bye","bye":{"reason":"session_resumed"}}',
        wire.event("room", "delete"),
        wire.event("room", "switchto", roomid="room2"),
        wire.event("roomlist", "disinvite", roomid="room1"),
        room_reply(token="room2"),
    ]
)
TEXTS = st.one_of(
    st.text(),
    JUNK.map(json.dumps),
    STRUCTURED.map(json.dumps),
    st.dictionaries(st.sampled_from(KEYS), STRUCTURED).map(json.dumps),
    REAL,
)
STEPS = st.one_of(
    st.tuples(st.just("receive"), TEXTS),
    st.tuples(st.just("connected"), st.none()),
    st.tuples(st.just("disconnected"), st.none()),
    st.tuples(st.just("tick"), st.none()),
    st.tuples(st.just("subscribe"), SESSIONS),
    st.tuples(st.just("lost"), SESSIONS),
    st.tuples(st.just("caption"), SESSIONS),
    st.tuples(st.just("leave"), st.none()),
)


def _step(protocol: Protocol, what: str, arg: Any, now: float) -> None:
    match what:
        case "receive":
            protocol.receive(arg, now)
        case "connected" if protocol.state is State.DISCONNECTED:
            protocol.connected(nonce=NONCE, now=now)
        case "disconnected":
            protocol.disconnected(now)
        case "tick":
            protocol.tick(now)
        case "subscribe":
            protocol.subscribe(SessionId(arg), now)
        case "lost":
            protocol.subscriptions.lost(SessionId(arg), now)
        case "caption":
            protocol.send_caption(SessionId(arg), CAPTION)
        case "leave":
            protocol.leave(now)
        case _:
            pass  # Connected already.


@given(st.lists(st.tuples(STEPS, st.floats(0, 20)), max_size=40))
def test_whatever_arrives_only_signaling_errors_leave(
    steps: list[tuple[tuple[str, Any], float]],
) -> None:
    """No input at any time breaks the core, and it only ever moves along its table."""
    protocol = new_protocol()
    now = 0.0
    for (what, arg), passed in steps:
        now += passed
        before = protocol.state
        try:
            _step(protocol, what, arg, now)
        except SignalingError:
            protocol.disconnected(now)
        assert protocol.state is before or _reachable(before, protocol.state)
        for message in sent(protocol):
            assert message["type"] in ("hello", "room", "internal", "message", "bye")


def _reachable(start: State, goal: State) -> bool:
    """Say whether the table leads from one state to the other, in any number of steps."""
    seen, todo = set(), [start]
    while todo:
        state = todo.pop()
        if state is goal:
            return True
        if state not in seen:
            seen.add(state)
            todo += LEGAL[state]
    return False


@given(STRUCTURED | JUNK)
def test_no_participant_can_make_us_leave(data: object) -> None:
    """Whatever somebody sends us through the server changes no state and raises nothing."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    body = {"sender": {"type": "session", "sessionid": ALICE}, "data": data}

    protocol.receive(json.dumps({"type": "message", "message": body}), 1.0)

    assert protocol.state is State.IN_ROOM


@given(TEXTS)
def test_in_the_room_nonsense_is_survived(text: str) -> None:
    """Only the messages that say so end or move the conversation."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    try:
        kind = json.loads(text).get("type")
    except (ValueError, AttributeError):
        kind = None
    if kind in ("bye", "room", "event"):
        return

    protocol.receive(text, 1.0)

    assert protocol.state is State.IN_ROOM


def test_the_way_into_a_room() -> None:
    """Hello, announce, join: in this order, each once, nothing before its answer."""
    protocol = new_protocol()

    protocol.connected(nonce=NONCE, now=0.0)
    (first,) = sent(protocol)
    protocol.receive(hello(first["id"]), 0.1)
    announce, join = sent(protocol)
    events = protocol.receive(room_reply(join["id"]), 0.2)

    assert first["hello"]["version"] == "1.0"
    assert first["hello"]["features"] == ["internal-incall"]
    assert first["hello"]["auth"]["params"]["backend"] == "https://cloud.example/"
    assert announce["internal"] == {"type": "incall", "incall": {"incall": 1}}
    assert join["room"] == {"roomid": "room1"}
    assert events == [Entered(OWN)]


@pytest.mark.parametrize(
    ("prepare", "timeout"),
    [((), HELLO_TIMEOUT_S), ((hello(),), JOIN_TIMEOUT_S)],
    ids=["hello", "join"],
)
def test_a_silent_server_is_given_up_at_the_deadline(
    prepare: tuple[str, ...], timeout: float
) -> None:
    """Not before the deadline, and at the deadline."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=100.0)
    for text in prepare:
        protocol.receive(text, 100.0)

    assert protocol.next_deadline == 100.0 + timeout
    protocol.tick(100.0 + timeout - 0.001)
    with pytest.raises(SignalingError, match="no answer"):
        protocol.tick(100.0 + timeout)


def test_a_server_without_a_media_server_refuses_us() -> None:
    """Without the feature `mcu` nobody could ever be heard."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=0.0)

    with pytest.raises(SignalingRefusedError, match="no_mcu"):
        protocol.receive(hello(features=("update-sdp",)), 0.0)


@pytest.mark.parametrize("gone_s", [0.0, RESUME_WINDOW_S])
def test_resume_within_the_window(gone_s: float) -> None:
    """A short loss resumes the session and does not join again."""
    protocol = in_room(now=0.0)
    protocol.disconnected(10.0)

    protocol.connected(nonce=NONCE, now=10.0 + gone_s)
    (resume,) = sent(protocol)
    events = protocol.receive(hello(resume["id"]), 10.0 + gone_s)

    assert resume["hello"] == {"version": "1.0", "resumeid": "resume-me"}
    assert events == [Resumed()]
    assert protocol.state is State.IN_ROOM
    assert sent(protocol) == []


def test_a_refused_resume_says_hello_on_the_same_socket() -> None:
    """`no_such_session` is answered by a full hello, and the room is entered anew."""
    protocol = in_room()
    protocol.disconnected(1.0)
    protocol.connected(nonce=NONCE, now=2.0)
    (resume,) = sent(protocol)

    protocol.receive(error(resume["id"], "no_such_session"), 2.1)
    (again,) = sent(protocol)
    protocol.receive(hello(again["id"], session="new-own"), 2.2)
    events = protocol.receive(room_reply(), 2.3)

    assert again["hello"]["auth"]["type"] == "internal"
    assert events == [Entered(SessionId("new-own"), is_return=True)]


def test_after_the_window_there_is_a_full_hello_at_once() -> None:
    """A session that the server has dropped is not asked for: that would count as an attack."""
    protocol = in_room()
    protocol.disconnected(1.0)

    protocol.connected(nonce=NONCE, now=1.0 + RESUME_WINDOW_S + 0.1)

    assert "auth" in sent(protocol)[0]["hello"]


def test_a_second_loss_while_resuming_does_not_extend_the_window() -> None:
    """The server counts from the first loss, and so do we."""
    protocol = in_room()
    protocol.disconnected(0.0)
    protocol.connected(nonce=NONCE, now=20.0)
    protocol.disconnected(25.0)

    protocol.connected(nonce=NONCE, now=RESUME_WINDOW_S + 1.0)

    assert "auth" in sent(protocol)[-1]["hello"]


def test_one_request_in_flight_per_speaker() -> None:
    """However often a speaker is wanted, the offer is asked for once until it is decided."""
    protocol = in_room()
    for second in range(5):
        protocol.subscribe(ALICE, float(second))
        protocol.tick(float(second))

    (request,) = sent(protocol)

    assert request["message"]["recipient"]["sessionid"] == ALICE
    assert request["message"]["data"] == {"type": "requestoffer", "roomType": "video"}


def test_a_refused_request_is_repeated_later() -> None:
    """`client_not_found` (not publishing yet) is asked again, with growing pauses."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    now, pauses = 0.0, []
    for _ in range(6):
        protocol.tick(now)
        (request,) = sent(protocol)
        events = protocol.receive(error(request["id"], "client_not_found"), now)
        assert events == [SubscriptionRefused(ALICE, "client_not_found")]
        assert protocol.next_deadline is not None
        pauses.append(protocol.next_deadline - now)
        now = protocol.next_deadline

    assert pauses == sorted(pauses)
    assert pauses[0] == 1.0
    assert pauses[-1] == 30.0


def test_a_request_without_an_answer_is_repeated() -> None:
    """The server answers within ten seconds, or the answer was lost."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    protocol.tick(0.0)
    protocol.text_to_send()

    events = protocol.tick(OFFER_TIMEOUT_S)

    assert events == [SubscriptionRefused(ALICE, "no_answer")]
    assert protocol.next_deadline is not None
    protocol.tick(protocol.next_deadline)
    assert len(sent(protocol)) == 1


@pytest.mark.parametrize("sid", ["7", ""])
def test_an_offer_is_answered_with_its_sid_or_none(sid: str) -> None:
    """Old servers send no sid, and get none back; the time of the request comes along."""
    protocol = in_room()
    protocol.subscribe(ALICE, 3.0)
    protocol.tick(3.0)
    protocol.text_to_send()

    events = protocol.receive(offer(ALICE, sid=sid), 3.2)
    protocol.answer(ALICE, sid=sid, sdp="v=0 answer")

    assert events == [Offered(ALICE, sid, "v=0", asked_at=3.0)]
    (answer,) = sent(protocol)
    assert answer["message"]["data"].get("sid", "") == sid
    assert answer["message"]["data"]["payload"]["sdp"] == "v=0 answer"


def test_a_renegotiation_is_an_offer_that_nobody_asked_for() -> None:
    """The same sid again while the audio is held: no time of a request."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    protocol.tick(0.0)
    protocol.receive(offer(ALICE), 0.1)

    assert protocol.receive(offer(ALICE), 9.0) == [Offered(ALICE, "7", "v=0", asked_at=None)]


def test_offers_of_unwanted_sessions_and_screens_are_ignored() -> None:
    """Nobody can push audio on us, and a screen share is not a voice."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)

    assert protocol.receive(offer("mallory"), 0.0) == []
    assert protocol.receive(offer(ALICE).replace('"video"', '"screen"'), 0.0) == []


def test_we_never_subscribe_to_ourselves() -> None:
    """Our own session is never asked for."""
    protocol = in_room()

    protocol.subscribe(OWN, 0.0)
    protocol.tick(0.0)

    assert sent(protocol) == []


def test_a_caption_on_the_wire() -> None:
    """Exactly the keys that Talk reads, and ours for the time."""
    protocol = in_room()

    protocol.send_caption(SessionId("bob"), CAPTION)

    (message,) = sent(protocol)
    assert message["message"] == {
        "recipient": {"type": "session", "sessionid": "bob"},
        "data": {
            "type": "transcript",
            "speakerSessionId": "alice",
            "message": "hello",
            "langId": "en",
            "final": True,
            "start": None,
            "end": None,
        },
    }


def test_leaving_says_bye_and_cannot_be_resumed() -> None:
    """After bye the server's answer closes, and so does its silence."""
    protocol = in_room()
    protocol.leave(0.0)

    assert [message["type"] for message in sent(protocol)] == ["bye"]
    assert protocol.next_deadline == BYE_TIMEOUT_S
    protocol.receive('{"type":"bye"}', 0.1)
    assert protocol.state is State.CLOSED


DELETED = wire.event("room", "delete")
DISINVITED = wire.event("roomlist", "disinvite", roomid=ROOM)


@pytest.mark.parametrize(
    "texts",
    [(DELETED, room_reply(token="")), (room_reply(token=""),), (DISINVITED, DELETED)],
    ids=["deleted", "empty room", "disinvited"],
)
def test_a_room_that_is_closed_is_over_once(texts: tuple[str, ...]) -> None:
    """However often it is said, the room hears it once, and nothing is asked for after it."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)

    events = [event for text in texts for event in protocol.receive(text, 0.0)]
    protocol.tick(0.1)

    assert [type(event) for event in events] == [RoomClosed]
    assert sent(protocol) == []


def test_a_closed_room_is_not_entered_again() -> None:
    """That would make it anew, with us as its only guest: the lost socket is the end."""
    protocol = in_room()
    protocol.receive(DELETED, 0.0)

    protocol.disconnected(0.1)

    assert protocol.state is State.CLOSED


def test_being_put_out_of_another_room_is_not_our_business() -> None:
    """The event is about any room of the server."""
    protocol = in_room()

    assert protocol.receive(wire.event("roomlist", "disinvite", roomid="other"), 0.0) == []
    assert protocol.state is State.IN_ROOM


@pytest.mark.parametrize(
    ("reason", "is_final"),
    [
        ("hello_timeout", False),
        ("room_join_timeout", False),
        ("room_session_reconnected", False),
        ("something_new", False),
        ("", False),
        ("session_resumed", True),
    ],
)
def test_bye_of_every_reason(reason: str, *, is_final: bool) -> None:
    """All begin anew with a full hello, except a takeover: that would be fought for ever."""
    protocol = in_room()
    with pytest.raises(SignalingError) as ended:
        protocol.receive(json.dumps({"type": "bye", "bye": {"reason": reason}}), 0.0)
    protocol.disconnected(0.0)
    protocol.connected(nonce=NONCE, now=0.1)

    assert isinstance(ended.value, SignalingRefusedError) == is_final
    assert "auth" in sent(protocol)[0]["hello"]


def test_bye_without_a_body_begins_anew() -> None:
    """Old servers give no reason."""
    with pytest.raises(SignalingError, match="no reason") as ended:
        in_room().receive('{"type":"bye"}', 0.0)

    assert not isinstance(ended.value, SignalingRefusedError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_token", SignalingRefusedError),
        ("invalid_client_type", SignalingRefusedError),
        ("invalid_backend", SignalingRefusedError),
        ("invalid_hello_version", SignalingRefusedError),
        ("too_many_requests", SignalingThrottledError),
        ("session_limit_exceeded", SignalingError),
        ("hello_expected", SignalingError),
        ("something_new", SignalingError),
    ],
)
def test_a_refused_hello(code: str, kind: type[SignalingError]) -> None:
    """Final, to be waited for, or to be tried again with the usual back-off."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=0.0)

    with pytest.raises(SignalingError, match=code) as refused:
        protocol.receive(error("1", code), 0.0)

    assert type(refused.value) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("no_such_room", SignalingRefusedError),
        ("not_allowed", SignalingRefusedError),
        ("room_join_failed", SignalingError),
        ("duplicate_session", SignalingError),
    ],
)
def test_a_refused_join(code: str, kind: type[SignalingError]) -> None:
    """A room that is not to be had is final; a server in trouble is not."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=0.0)
    protocol.receive(hello(), 0.0)

    with pytest.raises(SignalingError, match=code) as refused:
        protocol.receive(error("3", code), 0.0)

    assert type(refused.value) is kind


def test_an_old_server_that_does_not_know_the_announcement_is_joined() -> None:
    """Its error is not about the join."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=0.0)
    protocol.receive(hello(), 0.0)

    protocol.receive(error("2", "not_allowed"), 0.0)

    assert protocol.receive(room_reply(), 0.0) == [Entered(OWN)]


@pytest.mark.parametrize("code", ["no_such_session", "too_many_requests", "invalid_format"])
def test_a_resume_is_tried_once(code: str) -> None:
    """Whatever the reason of its refusal, a hello follows on the same socket, and ever after."""
    protocol = in_room()
    protocol.disconnected(1.0)
    protocol.connected(nonce=NONCE, now=2.0)
    (resume,) = sent(protocol)

    protocol.receive(error(resume["id"], code), 2.1)
    protocol.disconnected(2.2)
    again = sent(protocol)
    protocol.connected(nonce=NONCE, now=3.0)

    assert again == []
    assert ["auth" in message["hello"] for message in sent(protocol)] == [True]


def test_a_return_is_told_from_a_first_entry() -> None:
    """The room may then wait for people who come back, too."""
    protocol = in_room()
    protocol.disconnected(0.0)
    protocol.connected(nonce=NONCE, now=RESUME_WINDOW_S + 1)
    protocol.receive(hello(session="new"), RESUME_WINDOW_S + 1)

    entered = protocol.receive(room_reply(), RESUME_WINDOW_S + 1)

    assert entered == [Entered(SessionId("new"), is_return=True)]


def test_following_into_a_breakout_room_and_back() -> None:
    """The same session joins the other room, and asks for nobody of the old one."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    for name in ("breakout", ROOM):
        events = protocol.receive(wire.event("room", "switchto", roomid=name), 1.0)
        announce, join = sent(protocol)
        entered = protocol.receive(room_reply(join["id"], token=name), 1.1)
        protocol.tick(1.2)

        assert events == [Switched(RoomToken(name))]
        assert (announce["type"], join["room"]) == ("internal", {"roomid": name})
        assert entered == [Entered(OWN)]
        assert sent(protocol) == []


def test_on_the_way_to_another_room_nothing_of_the_old_one_counts() -> None:
    """Its people leave its call in that moment, or it ends; nobody of them is in the new one."""
    protocol = in_room()
    users = [{"sessionId": ALICE, "inCall": 7}]
    protocol.receive(wire.event("room", "switchto", roomid="breakout"), 1.0)

    for update in ({"users": users}, {"all": True, "incall": 0}):
        assert protocol.receive(wire.event("participants", "update", **update), 1.0) == []
    assert protocol.receive(room_reply("5", token="breakout"), 1.1) == [Entered(OWN)]
    assert protocol.receive(wire.event("participants", "update", users=users), 1.2) != []


def test_a_room_that_is_already_ours_is_not_switched_to() -> None:
    """Nothing changes, and nothing is sent."""
    protocol = in_room()

    for name in (ROOM, ""):
        assert protocol.receive(wire.event("room", "switchto", roomid=name), 1.0) == []
    assert sent(protocol) == []


@pytest.mark.parametrize("has_entered", [True, False])
def test_after_a_loss_the_room_of_the_call_is_joined(*, has_entered: bool) -> None:
    """Not the one that it began in, even where the loss came in the middle of the way."""
    protocol = in_room()
    protocol.receive(wire.event("room", "switchto", roomid="breakout"), 0.0)
    if has_entered:
        protocol.receive(room_reply(token="breakout"), 0.0)
    protocol.disconnected(0.0)
    protocol.text_to_send()
    protocol.connected(nonce=NONCE, now=RESUME_WINDOW_S + 1)
    protocol.receive(hello(), RESUME_WINDOW_S + 1)

    assert sent(protocol)[-1]["room"] == {"roomid": "breakout"}


def test_a_resume_after_a_switch_is_in_the_other_room() -> None:
    """The session is there already: no join."""
    protocol = in_room()
    protocol.receive(wire.event("room", "switchto", roomid="breakout"), 0.0)
    protocol.receive(room_reply(token="breakout"), 0.0)
    protocol.disconnected(0.0)
    protocol.connected(nonce=NONCE, now=1.0)
    protocol.text_to_send()

    assert protocol.receive(hello(), 1.0) == [Resumed()]
    assert sent(protocol) == []


def test_a_refused_answer_is_asked_for_again() -> None:
    """The handle is gone on the server: no need to wait until the peer does not connect."""
    protocol = in_room()
    protocol.subscribe(ALICE, 0.0)
    protocol.tick(0.0)
    protocol.receive(offer(ALICE), 0.1)
    protocol.text_to_send()
    protocol.answer(ALICE, sid="7", sdp="v=0")
    (answer,) = sent(protocol)

    events = protocol.receive(error(answer["id"], "processing_failed"), 0.2)
    protocol.tick(1.2)

    assert events == [SubscriptionRefused(ALICE, "processing_failed")]
    assert sent(protocol)[0]["message"]["data"]["type"] == "requestoffer"


def test_a_caption_over_the_limit_is_never_sent() -> None:
    """It would end the connection, and each one after it."""
    protocol = in_room()
    long = Transcript(speaker=ALICE, text="ö" * (MOST_BYTES // 2), language="en", final=True)

    protocol.send_caption(SessionId("bob"), long)
    protocol.send_caption(SessionId("bob"), CAPTION)

    assert [m["message"]["data"]["message"] for m in sent(protocol)] == ["hello"]
    assert protocol.outgoing.too_long == 1


@pytest.mark.parametrize("join", [False, True])
def test_the_servers_words_are_cut_short(join: bool) -> None:
    """They end up in the log and on a terminal: no megabytes, no escape sequences."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=0)
    if join:
        protocol.receive(hello(), 0)
    with pytest.raises(SignalingError) as failed:
        protocol.receive(error("3" if join else "1", "\x1b[31m" + "x" * 100_000), 0)

    assert len(str(failed.value)) < 500
    assert str(failed.value).isprintable()
