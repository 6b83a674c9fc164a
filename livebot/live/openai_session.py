"""What a client of OpenAI's realtime transcription may set, in both forms there are (pure).

The newer form nests all under `session.audio.input`, the older one (`OpenAI-Beta: realtime=v1`)
has it flat. Both are read everywhere; what is told is in the form the client began with.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livebot.errors import RequestError
from livebot.live import openai_names
from livebot.live.options import LiveOptions

RATE_HZ = 24_000
TELEPHONE_HZ = 8_000

_FORMATS: Final = {
    "audio/pcm": ("pcm_s16le", RATE_HZ, "pcm16"),
    "audio/pcmu": ("mulaw", TELEPHONE_HZ, "g711_ulaw"),
    "audio/pcma": ("alaw", TELEPHONE_HZ, "g711_alaw"),
}
"""By the newer name: encoding, rate, and the older name."""

_NEWER: Final = {older: newer for newer, (_, _, older) in _FORMATS.items()}

_TURNS = ("server_vad", "semantic_vad")


class SessionError(RequestError):
    """What a client wants to set cannot be.

    Args:
        message: Why, and what can.
        param: Where it stands in what it sent.
        code: By which programs know it.
    """

    def __init__(self, message: str, param: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class _Transcription(Struct, frozen=True):
    model: str | None = None
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None


class _Turns(Struct, frozen=True):
    type: str = "server_vad"


class _Format(Struct, frozen=True):
    type: str = "audio/pcm"
    rate: int | None = None


class _Input(Struct, frozen=True):
    format: _Format | UnsetType = UNSET
    transcription: _Transcription | UnsetType | None = UNSET
    turn_detection: _Turns | UnsetType | None = UNSET


class _Audio(Struct, frozen=True):
    input: _Input | UnsetType = UNSET


class _Session(Struct, frozen=True):
    type: str | UnsetType = UNSET
    audio: _Audio | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    input_audio_transcription: _Transcription | UnsetType | None = UNSET
    turn_detection: _Turns | UnsetType | None = UNSET


_decoder = msgspec.json.Decoder(_Session)


@dataclass(frozen=True, slots=True)
class Session:
    """How a client wants to be heard.

    Attributes:
        format: The newer name.
        model: As the client calls it.
        language: A code; empty for the service's own.
        prompt: Has no effect; told back.
        turns: How it is found out that an utterance is over; empty where the client says so.
    """

    format: str = "audio/pcm"
    model: str = openai_names.OWN
    language: str = ""
    prompt: str = ""
    turns: str = _TURNS[0]

    @property
    def options(self) -> LiveOptions:
        """Return those of a live session."""
        encoding, rate_hz, _ = _FORMATS[self.format]
        return LiveOptions(encoding=encoding, rate_hz=rate_hz, language=self.language)

    def seconds(self, size: int) -> float:
        """Return how long so many bytes of audio are."""
        encoding, rate_hz, _ = _FORMATS[self.format]
        return size / (rate_hz * (2 if encoding == "pcm_s16le" else 1))

    def updated(self, text: bytes) -> "Session":
        """Return what it is with what a client sets, in JSON.

        Raises:
            SessionError: That cannot be.
        """
        try:
            asked = _decoder.decode(text)
        except (ValueError, RecursionError):
            raise SessionError(
                "session is not what a transcription session has", "session"
            ) from None
        if asked.type not in (UNSET, "transcription"):
            message = "only transcription sessions are here: session.type must be transcription"
            raise SessionError(message, "session.type")
        given = asked.audio.input if asked.audio else UNSET
        nested = _with_input(self, given, "session.audio.input.") if given else self
        return _with_input(nested, _flat(asked), "session.", "input_audio_")

    def describe(self, name: str, *, is_newer: bool) -> dict[str, Any]:
        """Return it as clients read it; what has no effect is not in it."""
        transcription = {
            "model": self.model,
            "language": self.language or None,
            "prompt": self.prompt,
        }
        turns = {"type": self.turns} if self.turns else None
        about = {"id": name, "object": "realtime.transcription_session", "include": []}
        if not is_newer:
            return about | {
                "input_audio_format": _FORMATS[self.format][2],
                "input_audio_transcription": transcription,
                "input_audio_noise_reduction": None,
                "turn_detection": turns,
            }
        audio: dict[str, Any] = {"type": self.format}
        if self.format == "audio/pcm":
            audio["rate"] = RATE_HZ
        given = {
            "format": audio,
            "transcription": transcription,
            "noise_reduction": None,
            "turn_detection": turns,
        }
        return about | {"type": "transcription", "audio": {"input": given}}


def _with_input(session: Session, given: _Input, where: str, prefix: str = "") -> Session:
    """Return a session with what is set, or raise `SessionError`.

    Args:
        session: What it is now.
        given: What is set.
        where: In what the client sent.
        prefix: Of the older names.
    """
    found = session
    if given.format:
        found = replace(found, format=_format(given.format, f"{where}{prefix}format"))
    if given.transcription:
        found = _with_transcription(found, given.transcription, f"{where}{prefix}transcription.")
    if given.turn_detection is None:
        found = replace(found, turns="")
    elif given.turn_detection:
        if given.turn_detection.type not in _TURNS:
            message = f"turn_detection.type must be one of {', '.join(_TURNS)}, or null"
            raise SessionError(message, f"{where}turn_detection.type")
        found = replace(found, turns=given.turn_detection.type)
    return found


def _with_transcription(session: Session, given: _Transcription, where: str) -> Session:
    model = given.model or session.model
    if not openai_names.is_own(model):
        message = f"no such model hears live audio; {openai_names.OWN} is the service's own"
        raise SessionError(message, f"{where}model", "model_not_found")
    languages = [given.language] if given.language else given.languages or []
    # Several are a hint that the engine does not take; then it is its own.
    language = languages[0] if len(languages) == 1 else ""
    return replace(session, model=model, language=language, prompt=given.prompt or "")


def _flat(asked: _Session) -> _Input:
    """Return what is set in the older form, in the newer one."""
    older = asked.input_audio_format
    return _Input(
        format=_Format(_NEWER.get(older, older)) if older else UNSET,
        transcription=asked.input_audio_transcription,
        turn_detection=asked.turn_detection,
    )


def _format(given: _Format, where: str) -> str:
    if given.type not in _FORMATS:
        names = ", ".join([*_FORMATS, *_NEWER])
        raise SessionError(f"the audio format must be one of {names}", where)
    rate_hz = _FORMATS[given.type][1]
    if given.rate not in (None, rate_hz):
        raise SessionError(f"the rate of {given.type} must be {rate_hz}", f"{where}.rate")
    return given.type
