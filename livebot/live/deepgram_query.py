"""What a client of Deepgram's asks for in its address (pure).

Rule: what would make the words others than the client expects is refused; what only helps
Deepgram's own recognition is taken and told at the end as of no effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livebot.errors import RequestError
from livebot.live.options import MAX_RATE_HZ, MIN_RATE_HZ, MOST_CHANNELS, LiveOptions
from livebot.stt.languages import AUTO

_ENCODINGS = {
    "": "auto",
    "linear16": "pcm_s16le",
    "linear32": "pcm_f32le",
    "mulaw": "mulaw",
    "alaw": "alaw",
    "opus": "opus",
    "ogg-opus": "ogg",
}

_RAW = frozenset({"linear16", "linear32", "mulaw", "alaw"})
"""Nobody can tell from these bytes how many of them are a second."""

_REFUSED = {
    "callback": "results come over this connection only",
    "callback_method": "results come over this connection only",
    "detect_entities": "entities are not found here",
    "diarize": "who speaks is not told live; give the recording to POST /transcribe",
    "diarize_model": "who speaks is not told live; give the recording to POST /transcribe",
    "dictation": "spoken marks are written as they are spoken",
    "multichannel": "channels are mixed to one; open a connection for each",
    "numerals": "numbers are written as the engine hears them",
    "profanity_filter": "words are written as they are spoken",
    "redact": "words are written as they are spoken",
    "replace": "words are written as they are spoken",
    "search": "nothing is searched for live",
    "translate": "nothing is translated live",
}

_HEEDED = frozenset(
    {
        "channels",
        "detect_language",
        "encoding",
        "interim_results",
        "language",
        "sample_rate",
        "tag",
        "ticket",
        "utterance_end_ms",
        "vad_events",
    }
)

_CONTENT = frozenset({"model", "version", "punctuate", "smart_format", "mip_opt_out", "extra"})
"""What is so here anyhow, or has no counterpart that anybody would miss."""

_KNOWN = _HEEDED | _CONTENT | _REFUSED.keys()

MOST_WARNINGS = 32


@dataclass(frozen=True, slots=True)
class Listen:
    """How a client wants to be told what is said.

    Attributes:
        options: Of the live session.
        interim: Whether results come before they are final.
        speech_events: Whether it is told when somebody begins to speak.
        utterance_ends: Whether it is told when an utterance has ended.
        ignored: Parameters that have no effect.
    """

    options: LiveOptions
    interim: bool = False
    speech_events: bool = False
    utterance_ends: bool = False
    ignored: tuple[str, ...] = ()


def parse(query: Iterable[tuple[str, str]]) -> Listen:
    """Read the parameters.

    Raises:
        RequestError: What is asked for cannot be done; the text says what can.
    """
    given: dict[str, list[str]] = {}
    for name, value in query:
        given.setdefault(name, []).append(value)
    _refuse(given)
    encoding = _one(given, "encoding")
    if encoding not in _ENCODINGS:
        known = ", ".join(filter(None, _ENCODINGS))
        raise RequestError(f"encoding must be one of {known}; leave it out for WebM, Ogg and WAV")
    if encoding in _RAW and "sample_rate" not in given:
        raise RequestError(f"with encoding={encoding}, sample_rate is needed")
    interim = _switch(given, "interim_results")
    options = LiveOptions(
        encoding=_ENCODINGS[encoding],
        rate_hz=_number(given, "sample_rate", 48_000, MIN_RATE_HZ, MAX_RATE_HZ),
        channels=_number(given, "channels", 1, 1, MOST_CHANNELS),
        language=_language(given),
        interim=interim,
    )
    return Listen(
        options=options,
        interim=interim,
        speech_events=_switch(given, "vad_events"),
        utterance_ends=_number(given, "utterance_end_ms", 0, 0, 60_000) > 0,
        ignored=tuple(name for name in given if name not in _KNOWN)[:MOST_WARNINGS],
    )


def _refuse(given: Mapping[str, Sequence[str]]) -> None:
    for name, why in _REFUSED.items():
        if any(value.lower() not in ("", "false") for value in given.get(name, ())):
            raise RequestError(f"{name} cannot be had: {why}")


def _language(given: Mapping[str, Sequence[str]]) -> str:
    """Return a code, or `auto`; empty for the service's own."""
    if _one(given, "detect_language").lower() not in ("", "false"):
        return AUTO
    asked = _one(given, "language")
    return AUTO if asked == "multi" else asked


def _switch(given: Mapping[str, Sequence[str]], name: str) -> bool:
    value = _one(given, name).lower()
    if value not in ("", "true", "false"):
        raise RequestError(f"{name} must be true or false")
    return value == "true"


def _number(
    given: Mapping[str, Sequence[str]], name: str, default: int, least: int, most: int
) -> int:
    text = _one(given, name)
    if not text:
        return default
    # `int` would take "1_000", " 7" and digits of all scripts.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len("192000") else -1
    if not least <= number <= most:
        raise RequestError(f"{name} must be a number from {least} to {most}")
    return number


def _one(given: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the only value of a parameter; empty where there is none."""
    values = given.get(name, ())
    if len(values) > 1:
        raise RequestError(f"{name} must be given once")
    return values[0] if values else ""
