"""Wire text of the signaling protocol as the *server* sees it.

Requests are read leniently, like the real server reads them: keys we do not need are
skipped. Bot and browser are the other end; what they write is in `signaling/messages.py`
and `page/signaling.js`.

Source: the signaling server's `docs/standalone-signaling-api-v1.md`, and recordings of
version 2.1.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from livebot.errors import LivebotError
from livebot.ids import RoomToken, SessionId
from livebot.signaling.messages import MalformedError

FEATURES: Final = ("audio-video-permissions", "incall-all", "mcu", "recipient-call", "welcome")
"""What the embedded server can do; `mcu` says that there is media."""

VERSION: Final = "2.1.1-livebot-demo"


class RefusedError(LivebotError):
    """A request that is answered by an error.

    Args:
        code: The protocol's error code.
        message: In plain words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AuthParams(msgspec.Struct, frozen=True):
    """Who says hello: an internal client proves the secret, a participant names itself."""

    random: str = ""
    token: str = ""
    backend: str = ""
    userid: str = ""
    displayname: str = ""


class Auth(msgspec.Struct, frozen=True):
    """How one says hello; `type` is "internal" or nothing."""

    params: AuthParams
    type: str = ""
    url: str = ""


class Hello(msgspec.Struct, frozen=True):
    """A new session, or with `resumeid` the one before."""

    version: str = ""
    resumeid: str = ""
    auth: Auth | None = None
    features: list[str] = msgspec.field(default_factory=list)


class Room(msgspec.Struct, frozen=True):
    """Join a room; an empty id leaves it. `sessionid` is the client's session in Nextcloud."""

    roomid: str = ""
    sessionid: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,512}\Z")] = ""


class InCall(msgspec.Struct, frozen=True):
    """Flags: 1 in the call, 2 with audio, 4 with video."""

    incall: int


class Internal(msgspec.Struct, frozen=True):
    """What an internal client says of itself."""

    type: str = ""
    incall: InCall | None = None


class Captions(msgspec.Struct, frozen=True):
    """Whether a participant wants captions; Talk's clients say that to Nextcloud."""

    enable: bool


class Recipient(msgspec.Struct, frozen=True):
    """To whom: "session", "room" or "call"."""

    type: str
    sessionid: str = ""


class Message(msgspec.Struct, frozen=True):
    """Something for other sessions, or for the media server when it is about media."""

    recipient: Recipient
    data: msgspec.Raw = msgspec.Raw(b"null")


class Request(msgspec.Struct, frozen=True):
    """Any message of a client; `type` names the field that is set."""

    type: str
    id: str = ""
    hello: Hello | None = None
    room: Room | None = None
    internal: Internal | None = None
    captions: Captions | None = None
    message: Message | None = None


_decoder = msgspec.json.Decoder(Request)
_encoder = msgspec.json.Encoder()


def decode(text: str) -> Request:
    """Read one message of a client.

    Raises:
        MalformedError: It is not JSON, or what we need of it has another shape.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
        raise MalformedError("unreadable request") from exc


def _encode(message_type: str, body: object, ident: str = "") -> str:
    head = {"id": ident} if ident else {}
    return _encoder.encode(head | {"type": message_type, message_type: body}).decode()


def welcome() -> str:
    """Greet a new connection."""
    return _encode("welcome", {"version": VERSION, "features": FEATURES})


def hello(ident: str, *, session: SessionId, resume_id: str, user_id: str, version: str) -> str:
    """Answer a hello."""
    server = {"version": VERSION, "features": FEATURES}
    body = {"sessionid": session, "resumeid": resume_id, "userid": user_id, "version": version}
    return _encode("hello", body | {"server": server}, ident)


def error(ident: str, code: str, message: str) -> str:
    """Refuse a request."""
    return _encode("error", {"code": code, "message": message}, ident)


def room(ident: str, token: RoomToken) -> str:
    """Answer a join or leave."""
    return _encode("room", {"roomid": token}, ident)


def joined(entries: Sequence[Mapping[str, Any]]) -> str:
    """Tell that sessions came into the room."""
    return _encode("event", {"target": "room", "type": "join", "join": entries})


def left(sessions: Iterable[SessionId]) -> str:
    """Tell that sessions left the room."""
    return _encode("event", {"target": "room", "type": "leave", "leave": list(sessions)})


def participants(token: RoomToken, users: Sequence[Mapping[str, Any]]) -> str:
    """Tell who is in the call."""
    update = {"roomid": token, "users": users}
    return _encode("event", {"target": "participants", "type": "update", "update": update})


def message(sender: SessionId, user_id: str, to: str, data: object) -> str:
    """Deliver a message; `to` is the kind of recipient it was sent to."""
    who = {"type": to, "sessionid": sender} | ({"userid": user_id} if user_id else {})
    return _encode("message", {"sender": who, "data": data})


def media(
    speaker: SessionId, reader: SessionId, *, kind: str, sid: str, sdp: str, user_id: str = ""
) -> str:
    """Deliver an offer or an answer of the media server, in the speaker's name."""
    data = {
        "to": reader,
        "from": speaker,
        "type": kind,
        "roomType": "video",
        "payload": {"type": kind, "sdp": sdp},
        "sid": sid,
    }
    return message(speaker, user_id, "session", data)


def bye(ident: str = "", reason: str = "") -> str:
    """Say bye."""
    return _encode("bye", {"reason": reason} if reason else {}, ident)
