"""What travels over the Kyutai service's WebSocket: samples one way, words the other.

The service has had three dialects, and a client cannot ask which one it meets:

=========  ==========================================================  =====================
dialect    words                                                       besides
=========  ==========================================================  =====================
rust       `{"type":"token","text":"word"}`: whole words, bare         nothing
python     the same with pieces; a leading space begins a word         `vad_end` `ping` `error`
document   `{"text":" word","final":false,"vad_end":false}`            `final` and `vad_end`
=========  ==========================================================  =====================

So the decoder finds out: until a piece with white space around it is seen, each piece
is a word; from then on, a piece without it continues the word before.

`livebot stt-server` adds `start` and `end` to its tokens where its engine knows them, in seconds
from the stream's first sample. Clients of the service look at no keys but theirs.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import msgspec
import numpy as np

from livebot.audio.pcm import Samples
from livebot.errors import AudioError, EngineError
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

SAMPLE_BYTES = 4

MOST_S = 1e6
"""No stream lives for eleven days; a time beyond is none."""


class Dialect(StrEnum):
    """Which of the service's versions a server speaks."""

    RUST = "rust"
    PYTHON = "python"


def encode_audio(samples: Samples) -> bytes:
    """Write samples as the service reads them: float32, little-endian."""
    return samples.astype("<f4", copy=False).tobytes()


def decode_audio(data: bytes) -> Samples:
    """Read samples from a peer that may send anything: no NaN and nothing beyond [-1, 1] gets in.

    Raises:
        AudioError: It is not a whole number of samples.
    """
    if len(data) % SAMPLE_BYTES:
        raise AudioError(f"{len(data)} bytes are not a whole number of float32 samples")
    samples = np.nan_to_num(np.frombuffer(data, dtype="<f4").astype(np.float32))
    np.clip(samples, -1.0, 1.0, out=samples)
    return samples


class Decoder:
    """Understands one stream's messages, whichever dialect they are in."""

    def __init__(self) -> None:
        self._is_spaced = False
        self._is_word_open = False

    def feed(self, message: str | bytes) -> list[SttEvent]:
        """Take one message in and return what it says; messages of unknown types say nothing.

        Raises:
            EngineError: The service reports an error, or this is none of its messages.
        """
        match _parse(message):
            case {"type": "vad_end"}:
                return [Pause()]
            case {"type": "error", **rest}:
                raise EngineError(f"the endpoint reports an error: {shorten(rest.get('message'))}")
            case {"type": "token", "text": str(text), **rest}:
                return self._token(text, rest)
            case {"type": "token"}:
                raise EngineError("the endpoint sent a token without text")
            case {"type": str()}:
                return []
            case {"text": str(text), **rest} if "type" not in rest:
                return self._token(text, rest)
            case _:
                raise EngineError("the endpoint sent a message that is not of its protocol")

    def _token(self, text: str, rest: Mapping[object, object]) -> list[SttEvent]:
        words = self._words(text)
        if words:
            words[0] = replace(words[0], start=_seconds(rest.get("start")))
            words[-1] = replace(words[-1], end=_seconds(rest.get("end")))
        return [*words, Pause()] if _is_last(rest) else list(words)

    def _words(self, text: str) -> list[Word]:
        self._is_spaced = self._is_spaced or text != text.strip()
        joins = self._is_spaced and self._is_word_open and not text[:1].isspace()
        words = [Word(part, joined=joins and not i) for i, part in enumerate(text.split())]
        if text:
            self._is_word_open = not text[-1].isspace()
        return words


class Encoder:
    """Writes one stream's events in a dialect.

    Rust's has no way to say that a word continues the one before it, nor that the
    speaker paused; no dialect carries what is tentative.

    Args:
        dialect: What the client expects.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def feed(self, event: SttEvent) -> str | None:
        """Return the event as a message; None where the dialect has none for it."""
        is_spaced = self._dialect is Dialect.PYTHON
        match event:
            case Word(text=text, joined=joined, start=start, end=end):
                times = {"start": start, "end": end}
                known = {name: round(at, 3) for name, at in times.items() if at is not None}
                piece = f" {text}" if is_spaced and not joined else text
                return _message("token", text=piece, **known)
            case Pause():
                return _message("vad_end") if is_spaced else None
            case Tentative():
                return None


def ping() -> str:
    """Return the python dialect's sign of life."""
    return _message("ping")


def shorten(text: object) -> str:
    """Return a peer's own words fit for one line of a log: short and printable."""
    return "".join(c for c in str(text)[:80] if c.isprintable())


def _is_last(fields: Mapping[object, object]) -> bool:
    """Return whether a piece is marked as the end of what was said, by either name."""
    return fields.get("final") is True or fields.get("vad_end") is True


def _seconds(value: object) -> float | None:
    """Return a moment of the stream; None for what is none."""
    match value:
        case bool():
            return None
        case float() | int() if 0 <= value <= MOST_S:
            return float(value)
        case _:
            return None


def _message(kind: str, **fields: str | float) -> str:
    return msgspec.json.encode({"type": kind, **fields}).decode()


def _parse(message: str | bytes) -> object:
    try:
        return msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise EngineError("the endpoint sent something that is not JSON") from exc
