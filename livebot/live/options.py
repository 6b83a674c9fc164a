"""What a client declares of the audio it sends, and what it wants (pure)."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from livebot.errors import RequestError

ENCODINGS = ("auto", "pcm_s16le", "pcm_f32le", "mulaw", "alaw", "opus", "webm", "ogg", "wav")
"""`opus`: one packet per message. `auto`: a container that says what it is, as `MediaRecorder`
makes them."""

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MOST_CHANNELS = 8

MOST_TITLE: Final = 200
MOST_SPEAKER: Final = 100
MOST_LANGUAGE: Final = 35
"""Characters; no language tag is longer (RFC 5646, section 4.4.1)."""

_YES: Final = frozenset({"true", "1", "yes", "on"})
_NO: Final = frozenset({"false", "0", "no", "off"})


class LiveOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a live session is to be.

    Attributes:
        encoding: One of `ENCODINGS`.
        rate_hz: Of raw audio: samples per second and channel.
        channels: Of raw audio: interleaved, mixed to one.
        language: A code, or `auto`; empty for the service's own.
        interim: Whether interim events are wanted.
        store: Whether a transcript is to be kept.
        title: Of the transcript.
        speaker: The speaker's name; may be empty.
    """

    encoding: str = "auto"
    rate_hz: int = 48_000
    channels: int = 1
    language: str = ""
    interim: bool = True
    store: bool = False
    title: str = ""
    speaker: str = ""

    def check(self) -> None:
        """Check that they make sense.

        Raises:
            RequestError: They do not.
        """
        if self.encoding not in ENCODINGS:
            raise RequestError(f"encoding must be one of {', '.join(ENCODINGS)}")
        if not MIN_RATE_HZ <= self.rate_hz <= MAX_RATE_HZ:
            raise RequestError(f"rate must be {MIN_RATE_HZ} to {MAX_RATE_HZ}")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise RequestError(f"channels must be 1 to {MOST_CHANNELS}")
        for name, most in _MOST.items():
            text: str = getattr(self, name)
            if len(text) > most or not text.isprintable():
                raise RequestError(f"{name} must have at most {most} printable characters")


_MOST: Final = {"title": MOST_TITLE, "speaker": MOST_SPEAKER, "language": MOST_LANGUAGE}


def from_query(query: Mapping[str, str]) -> LiveOptions:
    """Return what the query of an address declares.

    Raises:
        RequestError: It makes no sense.
    """
    usual = LiveOptions()
    options = LiveOptions(
        encoding=query.get("encoding", usual.encoding).lower(),
        rate_hz=_number(query, "rate", usual.rate_hz),
        channels=_number(query, "channels", usual.channels),
        language=query.get("language", usual.language),
        interim=_choice(query, "interim", usual.interim),
        store=_choice(query, "store", usual.store),
        title=query.get("title", usual.title).strip(),
        speaker=query.get("speaker", usual.speaker).strip(),
    )
    options.check()
    return options


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - enough
        raise RequestError(f"{name} must be a whole number")
    return int(text)


def _choice(query: Mapping[str, str], name: str, usual: bool) -> bool:  # noqa: FBT001
    text = query.get(name, str(usual)).lower()
    if text not in _YES | _NO:
        raise RequestError(f"{name} must be true or false")
    return text in _YES
