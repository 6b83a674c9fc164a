"""Wire text and types, both ways; the only file that knows the JSON keys.

Incoming text is read leniently: keys we do not need are skipped, and a message whose
needed parts have the wrong shape is a `MalformedError`, which the protocol survives.
Participants can write to us through the server, so malformed messages are normal.

Source: the signaling server's `docs/standalone-signaling-api-v1.md`; `data` of messages:
Talk's `docs/signaling-messages.md`.
"""

from typing import Any, Final

import msgspec

from livebot.errors import SignalingError
from livebot.ids import SessionId

UNSET: Final = msgspec.UNSET
"""In place of a value: the key is left out."""

HELLO_VERSION: Final = "1.0"
"""Old and new servers accept it; for internal clients 2.0 makes no difference."""


class MalformedError(SignalingError):
    """A message from the server that cannot be read."""


class Welcome(msgspec.Struct, frozen=True):
    """The server's features, before hello (not from old servers)."""

    features: list[str] = msgspec.field(default_factory=list)
    version: str = ""


class HelloReply(msgspec.Struct, frozen=True):
    """Who we are now."""

    sessionid: str
    resumeid: str = ""
    server: Welcome | None = None


class RoomReply(msgspec.Struct, frozen=True):
    """The room we are in; empty when we are in none."""

    roomid: str = ""


class ErrorReply(msgspec.Struct, frozen=True):
    """An error of the server."""

    code: str
    message: str = ""


class Bye(msgspec.Struct, frozen=True):
    """The server ends the session."""

    reason: str = ""


class JoinEntry(msgspec.Struct, frozen=True):
    """A session that came into the room."""

    sessionid: str
    userid: str | None = None
    user: dict[str, Any] | None = None
    roomsessionid: str | None = None


class UserEntry(msgspec.Struct, frozen=True, rename="camel"):
    """A session's part in the call; `in_call` may be a number or, from old Talks, a boolean."""

    session_id: str
    in_call: int | bool | None = None
    internal: bool = False
    user_id: str | None = None
    nextcloud_session_id: str | None = None


class Update(msgspec.Struct, frozen=True):
    """A participants update: a list of users, or `all` for everybody."""

    users: list[UserEntry] | None = None
    all: bool = False
    incall: int | bool | None = None


class RoomRef(msgspec.Struct, frozen=True):
    """The room that an event is about."""

    roomid: str = ""


class Event(msgspec.Struct, frozen=True):
    """Something happened in the room; which fields are set depends on target and type."""

    target: str
    type: str
    join: list[JoinEntry] | None = None
    leave: list[str] | None = None
    update: Update | None = None
    switchto: RoomRef | None = None
    disinvite: RoomRef | None = None


class Sender(msgspec.Struct, frozen=True):
    """Who a message is from."""

    sessionid: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message of another session, or of the media server in its name."""

    sender: Sender
    data: msgspec.Raw = msgspec.Raw(b"null")


class Incoming(msgspec.Struct, frozen=True):
    """Any message of the server; `type` names the field that is set."""

    type: str
    id: str = ""
    welcome: Welcome | None = None
    hello: HelloReply | None = None
    room: RoomReply | None = None
    error: ErrorReply | None = None
    bye: Bye | None = None
    event: Event | None = None
    message: Message | None = None


class Candidate(msgspec.Struct, frozen=True, rename={"mid": "sdpMid", "index": "sdpMLineIndex"}):
    """An ICE candidate as browsers write it."""

    candidate: str
    mid: str | None = None
    index: int | None = None


class Payload(msgspec.Struct, frozen=True):
    """The payload of an offer or of a candidate."""

    sdp: str | None = None
    candidate: Candidate | None = None


class MediaData(msgspec.Struct, frozen=True, rename={"room_type": "roomType"}):
    """The `data` of an offer or of a candidate."""

    type: str = ""
    room_type: str = ""
    sid: str | int = ""
    payload: Payload | None = None


_incoming = msgspec.json.Decoder(Incoming)
_media_data = msgspec.json.Decoder(MediaData)
_encoder = msgspec.json.Encoder()


def decode(text: str) -> Incoming:
    """Read one message of the server.

    Raises:
        MalformedError: It is not JSON, or what we need of it has another shape.
    """
    try:
        return _incoming.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
        raise MalformedError("unreadable message") from exc


def decode_media(data: msgspec.Raw) -> MediaData:
    """Read the `data` of a message as that of an offer or a candidate.

    Raises:
        MalformedError: It has another shape.
    """
    try:
        return _media_data.decode(data)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise MalformedError("unreadable data") from exc


def _encode(message_type: str, ident: str, body: dict[str, Any]) -> str:
    return _encoder.encode({"id": ident, "type": message_type, message_type: body}).decode()


def hello(ident: str, *, nonce: str, token: str, backend: str) -> str:
    """Write the hello of an internal client that announces its own part in the call."""
    params = {"random": nonce, "token": token, "backend": backend}
    auth = {"type": "internal", "params": params}
    body = {"version": HELLO_VERSION, "features": ["internal-incall"], "auth": auth}
    return _encode("hello", ident, body)


def resume(ident: str, resume_id: str) -> str:
    """Write the hello that takes up a session again."""
    return _encode("hello", ident, {"version": HELLO_VERSION, "resumeid": resume_id})


def in_call(ident: str) -> str:
    """Announce that we are in the call and send nothing.

    Without it Talk's clients would take an internal session for one with audio and
    ask for its stream for ever.
    """
    return _encode("internal", ident, {"type": "incall", "incall": {"incall": 1}})


def room(ident: str, token: str) -> str:
    """Join the room; an empty token leaves it."""
    return _encode("room", ident, {"roomid": token})


def bye(ident: str) -> str:
    """End the session for good: it cannot be resumed."""
    return _encode("bye", ident, {})


def _to_session(ident: str, session: SessionId, data: object) -> str:
    recipient = {"type": "session", "sessionid": session}
    return _encode("message", ident, {"recipient": recipient, "data": data})


def request_offer(ident: str, speaker: SessionId) -> str:
    """Ask the media server to offer a speaker's audio."""
    return _to_session(ident, speaker, {"type": "requestoffer", "roomType": "video"})


def answer(ident: str, speaker: SessionId, *, sid: str, sdp: str) -> str:
    """Answer an offer; `sid` is left out where the offer had none."""
    data: dict[str, Any] = {
        "to": speaker,
        "type": "answer",
        "roomType": "video",
        "payload": {"type": "answer", "sdp": sdp, "nick": ""},
    }
    return _to_session(ident, speaker, data | ({"sid": sid} if sid else {}))


class Transcript(
    msgspec.Struct,
    frozen=True,
    tag="transcript",
    rename={"speaker": "speakerSessionId", "text": "message", "language": "langId"},
):
    """A caption on the wire.

    Talk reads `message`, `langId`, `final` and `speakerSessionId`; `start` and `end`
    (seconds on the room's time line) and `history` (said before the reader came) are ours,
    and clients skip keys they do not know.
    """

    speaker: SessionId
    text: str
    language: str
    final: bool
    start: float | None = None
    end: float | None = None
    history: bool | msgspec.UnsetType = UNSET


def transcript(ident: str, reader: SessionId, caption: Transcript) -> str:
    """Send a caption to one reader."""
    return _to_session(ident, reader, caption)
