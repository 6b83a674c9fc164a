"""The core against every recorded conversation with a real server.

Spec: signaling-session/Conversation of a room
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.rooms.roster import Roster
from livebot.signaling.events import (
    CallEnded,
    CandidateFound,
    Entered,
    Offered,
    ParticipantsLeft,
    Resumed,
    RoomClosed,
    SignalingEvent,
    SubscriptionRefused,
)
from livebot.signaling.protocol import Protocol
from livebot.signaling.state import State
from tests.support.recordings import RECORDINGS, Line, load

BOTS = [name for name in RECORDINGS if name.endswith("-bot")]
NONCE = "n" * 48


@dataclass(slots=True)
class Replay:
    """Feeds a recording's received messages to a `Protocol` that answers for itself.

    The recorded answers carry the ids of the recorded client's requests. Each is
    renamed to the core's own request of the same kind and addressee, so that the core
    sees what the server would have sent it; answers to what the core never asked are
    passed on with an id it does not know.

    Whose audio is wanted follows the roster, and what became of it the recorder's notes
    on peer connections, as in a room.
    """

    room: str
    protocol: Protocol = field(init=False)
    roster: Roster = field(default_factory=Roster)
    events: list[SignalingEvent] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _recorded: dict[str, tuple[str, str]] = field(default_factory=dict)
    _ours: dict[tuple[str, str], str] = field(default_factory=dict)
    _ended: bool = False

    def __post_init__(self) -> None:
        self.protocol = Protocol(room=RoomToken(self.room), secret="s", backend="http://nc/")

    def run(self, lines: list[Line]) -> None:
        """Play all lines, in order, until the recorded client left of its own will."""
        for line in lines:
            self._tick(line.at)
            if line.is_connected:
                self._connect(line.at)
            elif line.is_closed:
                self.protocol.disconnected(line.at)
                self._ended = True
            elif line.direction == "-":
                self._note_peer(str(line.message), line.at)
            elif line.direction == ">" and isinstance(line.message, dict):
                self._recorded[str(line.message.get("id", ""))] = _kind(line.message)
                if line.message["type"] == "bye":
                    return
            elif line.direction == "<" and not self._ended:
                self._receive(line)

    def _connect(self, at: float) -> None:
        self._ended = self.protocol.state is State.CLOSED
        if not self._ended:
            if self.protocol.state is not State.DISCONNECTED:
                self.protocol.disconnected(at)
            self.protocol.connected(nonce=NONCE, now=at)
            self._note_sent()

    def _note_peer(self, note: str, at: float) -> None:
        for session in self.roster.speakers:
            if note.endswith(f"pc closed for {session[:12]}"):
                self.protocol.subscriptions.lost(session, at)
            if note.endswith(f"pc connected for {session[:12]}"):
                self.protocol.subscriptions.steady(session)

    def _receive(self, line: Line) -> None:
        message = dict(line.message)
        if recorded := self._recorded.get(str(message.get("id", ""))):
            message["id"] = self._ours.get(recorded, "unknown")
        try:
            events = self.protocol.receive(json.dumps(message), line.at)
        except SignalingError as exc:
            self.errors.append(str(exc))
            self.protocol.disconnected(line.at)
            self._ended = True
            return
        self.events += events
        for event in events:
            if isinstance(event, Entered):
                self.roster.reset(event.session)
            self.roster.apply(event)
        self._follow_roster(line.at)
        self._tick(line.at)

    def _follow_roster(self, at: float) -> None:
        for session in self.wanted - self.roster.speakers:
            self.protocol.subscriptions.forget(session)
        for session in self.roster.speakers:
            self.protocol.subscribe(session, at)

    def _tick(self, at: float) -> None:
        if not self._ended:
            self.events += self.protocol.tick(at)
            self._note_sent()

    def _note_sent(self) -> None:
        for text in self.protocol.text_to_send():
            message = json.loads(text)
            self._ours[_kind(message)] = message["id"]

    @property
    def wanted(self) -> frozenset[SessionId]:
        """Whose audio is wanted."""
        return frozenset(self.protocol.subscriptions.wanted)

    def of(self, kind: type[SignalingEvent]) -> list[SignalingEvent]:
        """Return the events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


def _kind(message: dict[str, Any]) -> tuple[str, str]:
    """Say what a sent message is and whom it is for."""
    body = message.get("message", {})
    data = body.get("data", {})
    kind = "resume" if "resumeid" in message.get("hello", {}) else data.get("type", "")
    return (
        f"{message['type']}/{kind}",
        body.get("recipient", {}).get("sessionid", ""),
    )


def room_of(lines: list[Line]) -> str:
    """Return the room that the recorded client joined."""
    for line in lines:
        is_sent = line.direction == ">" and isinstance(line.message, dict)
        if is_sent and line.message.get("room", {}).get("roomid"):
            return str(line.message["room"]["roomid"])
    return "none"


def replay(name: str) -> Replay:
    """Play one recording."""
    lines = load(name)
    played = Replay(room_of(lines))
    played.run(lines)
    return played


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation went.

    Attributes:
        entered: Whether each entry was a return as a new session.
        resumed: How often the session was taken up again.
        offered: Offers of audio that was wanted.
        refused: Requests that failed, by the server's code.
        left: Sessions that left the room.
        over: That the call, or the room, is over.
        errors: Why connections were given up, beyond sockets that closed.
        state: Where the conversation is at the end.
        wanted: How many speakers' audio is wanted at the end.
    """

    entered: tuple[bool, ...] = (False,)
    resumed: int = 0
    offered: int = 1
    refused: dict[str, int] = field(default_factory=dict)
    left: int = 0
    over: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    state: State = State.IN_ROOM
    wanted: int = 1


def outcome(name: str) -> Outcome:
    """Play one recording, and say how it went."""
    played = replay(name)
    return Outcome(
        entered=tuple(e.is_return for e in played.events if isinstance(e, Entered)),
        resumed=len(played.of(Resumed)),
        offered=len(played.of(Offered)),
        refused=dict(Counter(e.code for e in played.events if isinstance(e, SubscriptionRefused))),
        left=sum(len(e.sessions) for e in played.events if isinstance(e, ParticipantsLeft)),
        over=tuple(
            type(e).__name__ for e in played.events if isinstance(e, CallEnded | RoomClosed)
        ),
        errors=tuple(played.errors),
        state=played.protocol.state,
        wanted=len(played.wanted),
    )


TIMED_OUT = "the server said bye: hello_timeout"
TAKEN_OVER = "session_resumed: the session lives on elsewhere"
CUT = State.DISCONNECTED
NO_ROOM = State.PUT_OUT
ANOTHER = Outcome(offered=0, left=1, wanted=0)
"""A participant's own recording: the bot leaves, and there is nobody else to hear."""

OUTCOMES = {
    # Our socket is cut for 5 s: resumed, nobody asked for again, the newcomer is offered.
    "fault-v041-resume-bot": Outcome(resumed=1, offered=2, wanted=2),
    "fault-v2-resume-bot": Outcome(resumed=1, offered=2, wanted=2),
    "fault-v041-resume-alice": Outcome(offered=0, left=1),
    "fault-v2-resume-alice": Outcome(offered=0, left=1),
    # For 33 s: a new session, the speaker asked for again.
    "fault-v041-expire-bot": Outcome(entered=(False, True), offered=2),
    "fault-v2-expire-bot": Outcome(entered=(False, True), offered=2),
    "fault-v041-expire-alice": Outcome(offered=0, left=2, wanted=0),
    "fault-v2-expire-alice": Outcome(offered=0, left=2, wanted=0),
    # Resumed elsewhere: the old one does not come back.
    "fault-v041-resume_twice-bot": Outcome(errors=(TAKEN_OVER,), state=CUT),
    "fault-v2-resume_twice-bot": Outcome(errors=(TAKEN_OVER,), state=CUT),
    "fault-v041-resume_twice-alice": ANOTHER,
    "fault-v2-resume_twice-alice": ANOTHER,
    # Every kind of hello; none of the refused ones leads into a room.
    "fault-v041-hellos-bot": Outcome(
        entered=(),
        offered=0,
        errors=(
            TIMED_OUT,
            "invalid_token: The passed token is invalid.",
            "invalid_backend: The backend URL is not supported.",
            "hello failed: invalid_format",
            "hello failed: invalid_format",
        ),
        state=CUT,
        wanted=0,
    ),
    "fault-v2-hellos-bot": Outcome(
        entered=(),
        offered=0,
        errors=(
            TIMED_OUT,
            "invalid_token: The passed token is invalid.",
            "invalid_backend: The backend URL is not supported.",
            "invalid_hello_version: The hello version is not supported.",
            *[TIMED_OUT] * 6,
        ),
        state=CUT,
        wanted=0,
    ),
    # The server is killed and comes back: empty, until people return as new sessions.
    "fault-v041-signaling_kill-bot": Outcome(entered=(False, True), offered=2),
    "fault-v2-signaling_kill-bot": Outcome(entered=(False, True), offered=2),
    "fault-v041-signaling_kill-alice": Outcome(offered=0, state=CUT, wanted=0),
    "fault-v2-signaling_kill-alice": Outcome(offered=0, state=CUT, wanted=0),
    "fault-v041-signaling_kill-alice2": ANOTHER,
    "fault-v2-signaling_kill-alice2": ANOTHER,
    "fault-v2-signaling_term-bot": Outcome(state=CUT),
    "fault-v2-signaling_term-alice": Outcome(offered=0, state=CUT, wanted=0),
    # The media server goes, and its speaker with it until she joins the call again.
    "fault-v2-janus_kill-bot": Outcome(refused={"processing_failed": 1}),
    "fault-v2-janus_kill-alice": ANOTHER,
    "fault-v2-janus_term-bot": Outcome(
        offered=2, refused={"processing_failed": 3, "client_not_found": 1}
    ),
    "fault-v2-janus_term-alice": ANOTHER,
    # Alice leaves the call and returns; Bob's browser dies; both leave the room.
    "fault-v041-leaving-bot": Outcome(offered=3, left=2, wanted=0),
    "fault-v2-leaving-bot": Outcome(offered=3, left=2, wanted=0),
    "fault-v041-leaving-alice": Outcome(offered=0, refused={"no_answer": 1}, left=1, wanted=0),
    "fault-v2-leaving-alice": Outcome(offered=0, refused={"no_answer": 1}, left=1, wanted=0),
    "fault-v041-leaving-bob": Outcome(offered=0, state=CUT),
    "fault-v2-leaving-bob": Outcome(offered=0, state=CUT),
    # The speaker's peer connection ends and another comes, while she stays in the call.
    "fault-v041-pubpc-bot": Outcome(offered=2),
    "fault-v2-pubpc-bot": Outcome(offered=2),
    "fault-v041-pubpc-alice": ANOTHER,
    "fault-v2-pubpc-alice": ANOTHER,
    # Offers with a new sid that we did not ask for are taken, too.
    "fault-v041-renegotiate-bot": Outcome(offered=3),
    "fault-v2-renegotiate-bot": Outcome(offered=3),
    "fault-v041-renegotiate-alice": ANOTHER,
    "fault-v2-renegotiate-alice": ANOTHER,
    # A speaker without a device is no fault: had, wanted, and not asked for again.
    "fault-v2-silence-bot": Outcome(),
    "fault-v2-silence-alice": ANOTHER,
    # Audio is switched on, the call is ended for all (not told by old servers), the room
    # deleted: said twice by the server, and once by us.
    "fault-v041-update_flags-bot": Outcome(over=("RoomClosed",), state=NO_ROOM),
    "fault-v2-update_flags-bot": Outcome(
        over=("CallEnded", "RoomClosed"), state=NO_ROOM, wanted=0
    ),
    # Nonsense of all kinds, the last of it too long for the server (1009).
    "fault-v041-wrong-bot": Outcome(state=CUT),
    "fault-v2-wrong-bot": Outcome(state=CUT),
    "fault-v041-wrong-alice": Outcome(offered=0, wanted=0),
    "fault-v2-wrong-alice": Outcome(offered=0, wanted=0),
    # A browser leaves, dies, is silent, muted, or reloads: then the ghost leaves 30 s later.
    "chromefault-close-bot": Outcome(left=1, wanted=0),
    "chromefault-crash-bot": Outcome(left=1, wanted=0),
    "chromefault-dtx-bot": Outcome(),
    "chromefault-mute-bot": Outcome(),
    "chromefault-reload-bot": Outcome(offered=2, left=1),
    # The way of the media is down for so many seconds; signaling does not notice.
    "medialoss-3-bot": Outcome(),
    "medialoss-12-bot": Outcome(),
    "medialoss-40-bot": Outcome(),
}


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_every_recorded_fault_ends_as_documented(name: str) -> None:
    """Who is wanted, what was asked for again, and where the conversation stands."""
    assert outcome(name) == OUTCOMES[name]


def test_no_recorded_fault_is_left_out() -> None:
    """A new recording needs its expected outcome."""
    faults = ("fault-", "chromefault-", "medialoss-")

    assert OUTCOMES.keys() == {name for name in RECORDINGS if name.startswith(faults)}


def _seen_by_the_recorded_client(lines: list[Line]) -> set[str]:
    """Return the error codes and the reasons of bye in a recording."""
    seen = set()
    for line in lines:
        if line.direction == "<" and isinstance(line.message, dict):
            seen.add(str(line.message.get("error", {}).get("code", "")))
            if line.message.get("type") == "bye":
                seen.add((line.message.get("bye") or {}).get("reason") or "bye")
    return seen - {""}


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_error_that_the_recorded_client_did_not_see(name: str) -> None:
    """Every recording is understood whole; errors are the server's own, never ours."""
    played = replay(name)

    seen = _seen_by_the_recorded_client(load(name))
    for error in played.errors:
        assert any(code in error for code in seen), (error, seen)
    assert played.protocol.skipped == 0


@pytest.mark.parametrize("name", BOTS)
def test_speakers_heard_in_the_recording_are_offered(name: str) -> None:
    """Each offer and candidate that the recorded bot got after joining is an event."""
    played = replay(name)

    if any(_is(line, "offer") for line in load(name)):
        entered = [event for event in played.events if isinstance(event, Entered)]
        assert entered
        assert played.of(Offered)
        sessions = {event.session for event in played.events if isinstance(event, Offered)}
        assert entered[0].session not in sessions
        assert played.of(CandidateFound)


def _is(line: Line, kind: str) -> bool:
    if line.direction != "<" or not isinstance(line.message, dict):
        return False
    data = line.message.get("message", {}).get("data", {})
    return isinstance(data, dict) and data.get("type") == kind


def test_a_wrong_secret_is_final() -> None:
    """The recorded refusals of a wrong token and a wrong backend end the conversation."""
    replies = [
        line.message
        for line in load("fault-v2-hellos-bot")
        if line.direction == "<" and line.message.get("type") == "error"
    ]
    fatal = [r for r in replies if r["error"]["code"] in ("invalid_token", "invalid_backend")]
    assert len(fatal) >= 2
    for reply in fatal:
        protocol = Protocol(room=RoomToken("room"), secret="s", backend="http://nc/")
        protocol.connected(nonce=NONCE, now=0.0)

        with pytest.raises(SignalingRefusedError) as refused:
            protocol.receive(json.dumps(reply), 0.1)

        assert refused.value.code == reply["error"]["code"]


def test_resume_keeps_the_session_and_does_not_join_again() -> None:
    """In the recorded resume the core resumes too, and sends no second `room`."""
    played = replay("fault-v2-resume-bot")

    assert len(played.of(Entered)) == 1
    assert played.protocol.session == SessionId(
        next(
            line.message["hello"]["sessionid"]
            for line in load("fault-v2-resume-bot")
            if line.direction == "<" and line.message.get("type") == "hello"
        )
    )
