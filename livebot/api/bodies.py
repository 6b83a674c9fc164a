"""Bodies of requests: JSON in, values out.

Keys that are not ours are ignored: Talk may send more one day. What is wrong with the others
is said by a text of ours that quotes nothing, because bodies hold credentials.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from livebot.captions.caption import Mode
from livebot.errors import RequestError
from livebot.ids import RoomToken, TalkSessionId, is_room_token, is_talk_session
from livebot.rooms.keeping import Keeping
from livebot.rooms.readers import Wish
from livebot.settings import IceServer, parse_ice_servers

T = TypeVar("T", bound="Body")

_Token = Annotated[str, Meta(pattern="^[a-z0-9]{4,30}$", examples=["abcd1234"])]
_TalkSession = Annotated[
    str, Meta(pattern="^[!-~]{1,512}$", description="Talk's own id of the reader's session.")
]
_Language = Annotated[
    str,
    Meta(
        pattern="^([A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4})?$",
        description="A language code; without it, or empty, the default.",
        examples=["en"],
    ),
]
_Target = Annotated[
    str,
    Meta(
        pattern="^([A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4})?$",
        description="The language to read in; without it, or empty, the spoken one.",
        examples=["de"],
    ),
]
_Mode = Annotated[
    Mode,
    Meta(description="How captions reach this reader; without it, as LT_CAPTION_MODE says."),
]

_Store = Annotated[
    bool | None,
    Meta(description="Whether a transcript is kept; without it, as LT_TRANSCRIPTS says."),
]
_AudioConsent = Annotated[
    bool | None,
    Meta(
        description="Whether everybody agreed that their audio is kept with the transcript"
        " (LT_AUDIO=consent); without it, it is not."
    ),
]

_EXPECTED = {
    "roomToken": "4 to 30 lower-case letters and digits",
    "ncSessionId": "1 to 512 visible ASCII characters",
    "enable": "true or false",
    "languageId": "a language code like en",
    "langId": "a language code like en",
    "translationTargetLangId": "a language code like en",
    "mode": "append or replace",
    "turnServers": "a list of servers, each with urls, username and credential",
    "store": "true or false",
    "audioConsent": "true or false",
}

_PATH = re.compile(r"at `\$\.(\w+)|field `(\w+)`")


class Body(Struct, frozen=True, rename="camel"):
    """What all bodies have: the room."""

    room_token: _Token

    @property
    def token(self) -> RoomToken:
        """Return the room."""
        return RoomToken(self.room_token)


class TurnServer(Struct, frozen=True, omit_defaults=True):
    """A STUN or TURN server as Talk writes it."""

    urls: str | list[str] | None = None
    url: str | list[str] | None = None
    username: str | None = None
    credential: str | None = None


class Transcribe(Body, frozen=True, rename="camel"):
    """Captions in a room: for one reader where it has an `ncSessionId`, else for everybody."""

    nc_session_id: _TalkSession | UnsetType = UNSET
    enable: bool = True
    language_id: _Language | None = None
    lang_id: _Language | None = None
    translation_target_lang_id: _Target | None = None
    mode: _Mode | None = None
    turn_servers: list[TurnServer] | None = None
    store: _Store = None
    audio_consent: _AudioConsent = None

    @property
    def keeping(self) -> Keeping:
        """Return what is said of what is kept."""
        return Keeping(self.store, self.audio_consent)

    @property
    def reader(self) -> TalkSessionId | None:
        """Return who asks; None where it is for everybody."""
        return TalkSessionId(self.nc_session_id) if self.nc_session_id else None

    @property
    def language(self) -> str | None:
        """Return what is spoken; None for the default."""
        return self.language_id or self.lang_id or None

    @property
    def wish(self) -> Wish:
        """Return how the reader wants to read."""
        return Wish(self.mode, self.translation_target_lang_id or None)

    @property
    def ice_servers(self) -> tuple[IceServer, ...]:
        """Return the STUN and TURN servers for the room; empty where the settings decide.

        Raises:
            RequestError: They are none.
        """
        try:
            return parse_ice_servers(msgspec.to_builtins(self.turn_servers or []))
        except ValueError as exc:
            raise RequestError(f"turnServers: {exc}") from exc


class SetLanguage(Body, frozen=True, rename="camel"):
    """Another language is spoken in a room."""

    lang_id: _Language | None = None


class Leave(Body, frozen=True, rename="camel"):
    """No captions in a room any more."""


class SetTarget(Body, frozen=True, rename="camel"):
    """A reader wants to read in another language."""

    nc_session_id: _TalkSession
    lang_id: _Target | None = None

    @property
    def reader(self) -> TalkSessionId:
        """Return whose."""
        return TalkSessionId(self.nc_session_id)


def read(kind: type[T], body: bytes) -> T:
    """Read a body.

    Raises:
        RequestError: It is not such a one; the text says why.
    """
    try:
        found = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as exc:
        raise RequestError(_cure(str(exc))) from None
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None
    # JSON Schema's `$` is the end; Python's may have a newline behind it.
    room_token(found.room_token)
    session = getattr(found, "nc_session_id", UNSET)
    if session is not UNSET and not is_talk_session(session):
        raise RequestError(_must_be("ncSessionId"))
    return found


def room_token(text: str) -> RoomToken:
    """Return a well-formed room token.

    Raises:
        RequestError: It is not one.
    """
    if is_room_token(text):
        return RoomToken(text)
    raise RequestError(_must_be("roomToken"))


def _cure(problem: str) -> str:
    """Turn msgspec's words into ours; they name the key like "... - at `$.roomToken`"."""
    found = _PATH.search(problem)
    key = next(filter(None, found.groups())) if found else ""
    return _must_be(key) if key else "the body must be a JSON object with a roomToken"


def _must_be(key: str) -> str:
    return f"{key} must be {_EXPECTED[key]}"
