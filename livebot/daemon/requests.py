"""What a client may ask for; the only file that knows the keys (pure).

Unknown keys do no harm and are ignored, but for `bytes`: whoever counts bytes sends them.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from livebot.daemon.framing import AUDIO, NO_OBJECT, Frame

PING = "ping"

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)] | int
"""What clients call their requests and streams."""

Language: TypeAlias = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z0-9-]*$")]
Model: TypeAlias = Annotated[str, Meta(max_length=200)]


class Recognise(Struct, frozen=True):
    """Recognise a file.

    Attributes:
        audio_url: Where it is: http, https, `file:`, or a path.
        path: The same, where the client calls it so; one of the two.
        language: Code of what is spoken, or `auto`; empty for the daemon's own.
        model: Empty for the daemon's own.
        id: What the client calls this request; None where it goes by the URL.
        progress: Whether to say how far it is.
        diarize: Whether to say who speaks.
        speakers: How many people speak, where that is known.
    """

    audio_url: Annotated[str, Meta(min_length=1)] | None = None
    path: Annotated[str, Meta(min_length=1)] | None = None
    language: Language | None = ""
    model: Model | None = ""
    id: Name | None = None
    progress: bool = False
    diarize: bool = False
    speakers: Annotated[int, Meta(ge=1, le=100)] | None = None

    @property
    def wants_speakers(self) -> bool:
        """Return whether it is to be said who speaks."""
        return self.diarize or self.speakers is not None

    @property
    def source(self) -> str:
        """Return where the file is."""
        return self.audio_url or self.path or ""


class Ping(Struct, frozen=True):
    """Say that you live."""

    id: Name | None = None


class Status(Struct, frozen=True):
    """Say how you are."""

    id: Name | None = None


class Cancel(Struct, frozen=True):
    """Give up a request by its id."""

    cancel: Name


class Open(Struct, frozen=True):
    """A new live stream."""

    stream: Name
    language: Language | None = ""
    model: Model | None = ""


class Audio(Struct, frozen=True):
    """Audio of a stream: `payload` is float32 little-endian at `audio.pcm.RATE_HZ`."""

    stream: Name
    payload: bytes = b""


class Finish(Struct, frozen=True):
    """No more audio of this stream comes: its last words are wanted."""

    stream: Name


class Close(Struct, frozen=True):
    """Nobody listens to this stream any more."""

    stream: Name


OfStream: TypeAlias = Open | Audio | Finish | Close
Request: TypeAlias = Recognise | Ping | Status | Cancel | OfStream


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is none.

    Attributes:
        reason: What is wrong with it.
        about: Keys by which its author knows it again.
    """

    reason: str
    about: dict[str, str | int] = field(default_factory=dict)


_OF_STREAM: dict[str, type[OfStream]] = {
    "open": Open,
    AUDIO: Audio,
    "finish": Finish,
    "close": Close,
}

_KEPT = ("audio_url", "path", "id", "stream", "cancel")

_decoder = msgspec.json.Decoder(dict[str, Any])

_UNKNOWN = (
    "no request: have one of the keys audio_url, path, cancel, status, or a type that is one of "
    + ", ".join(_OF_STREAM)
)


def parse(frame: Frame) -> Request | Refusal:
    """Read what a client wants."""
    try:
        fields = _decoder.decode(frame.line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Framing looks at two keys only; whether it is text all through is seen here.
        return Refusal(NO_OBJECT)
    about = {key: fields[key] for key in _KEPT if _is_name(fields.get(key))}
    if "bytes" in fields and fields.get("type") != AUDIO:
        return Refusal("only a line of type audio may have the key bytes", about)
    kind = _kind(fields)
    if kind is None:
        return Refusal(_UNKNOWN, about)
    try:
        request = msgspec.convert(fields | {"payload": frame.payload}, kind)
    except msgspec.ValidationError as exc:
        return Refusal(str(exc), about)
    if isinstance(request, Recognise) and not (request.audio_url is None) ^ (request.path is None):
        return Refusal("have either audio_url or path", about)
    return request


def _kind(fields: dict[str, Any]) -> type[Request] | None:
    match fields:
        case {"type": str(kind)}:
            return _OF_STREAM.get(kind)
        case {"cancel": _}:
            return Cancel
        case {"audio_url": "ping"}:
            return Ping
        case {"audio_url": _} | {"path": _}:
            return Recognise
        case {"status": _}:
            return Status
        case _:
            return None


def _is_name(value: object) -> bool:
    return isinstance(value, str) or type(value) is int
