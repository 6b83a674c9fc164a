"""The core against every recorded conversation with a real server.

Spec: signaling-session/Conversation of a room
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.signaling.events import (
    CallChanged,
    CandidateFound,
    Entered,
    Offered,
    SignalingEvent,
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
    """

    room: str
    protocol: Protocol = field(init=False)
    events: list[SignalingEvent] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _recorded: dict[str, tuple[str, str]] = field(default_factory=dict)
    _ours: dict[tuple[str, str], str] = field(default_factory=dict)
    _ended: bool = False

    def __post_init__(self) -> None:
        self.protocol = Protocol(room=RoomToken(self.room), secret="s", backend="http://nc/")

    def run(self, lines: list[Line]) -> None:
        """Play all lines, in order."""
        for line in lines:
            if line.is_connected:
                self._connect(line.at)
            elif line.is_closed:
                self.protocol.disconnected(line.at)
                self._ended = True
            elif line.direction == ">" and isinstance(line.message, dict):
                self._recorded[str(line.message.get("id", ""))] = _kind(line.message)
            elif line.direction == "<" and not self._ended:
                self._receive(line)

    def _connect(self, at: float) -> None:
        self._ended = self.protocol.state is State.CLOSED
        if not self._ended:
            if self.protocol.state is not State.DISCONNECTED:
                self.protocol.disconnected(at)
            self.protocol.connected(nonce=NONCE, now=at)
            self._note_sent()

    def _receive(self, line: Line) -> None:
        message = dict(line.message)
        if recorded := self._recorded.get(str(message.get("id", ""))):
            message["id"] = self._ours.get(recorded, "unknown")
        try:
            events = self.protocol.receive(json.dumps(message), line.at)
            self.protocol.tick(line.at)
        except SignalingError as exc:
            self.errors.append(str(exc))
            self.protocol.disconnected(line.at)
            self._ended = True
            return
        self.events += events
        for event in events:
            if isinstance(event, CallChanged):
                for state in event.states:
                    if state.speaks:
                        self.protocol.subscribe(state.session, line.at)
        self.protocol.tick(line.at)
        self._note_sent()

    def _note_sent(self) -> None:
        for text in self.protocol.text_to_send():
            message = json.loads(text)
            self._ours[_kind(message)] = message["id"]

    def of(self, kind: type[SignalingEvent]) -> list[SignalingEvent]:
        """Return the events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


def _kind(message: dict[str, Any]) -> tuple[str, str]:
    """Say what a sent message is and whom it is for."""
    body = message.get("message", {})
    data = body.get("data", {})
    return (
        f"{message['type']}/{data.get('type', '')}",
        body.get("recipient", {}).get("sessionid", ""),
    )


def room_of(lines: list[Line]) -> str:
    """Return the room that the recorded client joined."""
    for line in lines:
        is_sent = line.direction == ">" and isinstance(line.message, dict)
        if is_sent and line.message.get("room", {}).get("roomid"):
            return str(line.message["room"]["roomid"])
    return "none"


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
    lines = load(name)
    replay = Replay(room_of(lines))

    replay.run(lines)

    seen = _seen_by_the_recorded_client(lines)
    for error in replay.errors:
        assert any(code in error for code in seen), (error, seen)
    assert replay.protocol.skipped == 0


@pytest.mark.parametrize("name", BOTS)
def test_speakers_heard_in_the_recording_are_offered(name: str) -> None:
    """Each offer and candidate that the recorded bot got after joining is an event."""
    lines = load(name)
    replay = Replay(room_of(lines))

    replay.run(lines)

    offers = sum(_is(line, "offer") for line in lines)
    if offers and not replay.errors:
        entered = [event for event in replay.events if isinstance(event, Entered)]
        assert entered
        assert replay.of(Offered)
        sessions = {event.session for event in replay.of(Offered) if isinstance(event, Offered)}
        assert entered[0].session not in sessions
        assert {e.session for e in replay.of(CandidateFound) if isinstance(e, CandidateFound)}


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


def test_a_session_taken_over_elsewhere_is_not_fought_for() -> None:
    """`bye` with `session_resumed` refuses: the old connection must not come back."""
    lines = load("fault-v2-resume_twice-bot")
    replay = Replay(room_of(lines))

    replay.run(lines)

    assert any("session_resumed" in error for error in replay.errors)


def test_resume_keeps_the_session_and_does_not_join_again() -> None:
    """In the recorded resume the core resumes too, and sends no second `room`."""
    lines = load("fault-v2-resume-bot")
    replay = Replay(room_of(lines))

    replay.run(lines)

    assert len(replay.of(Entered)) == 1
    assert replay.protocol.session == SessionId(
        next(
            line.message["hello"]["sessionid"]
            for line in lines
            if line.direction == "<" and line.message.get("type") == "hello"
        )
    )
