"""What the process that tells speakers apart and its parent say to each other (pure)."""

from typing import TypeAlias

import msgspec

from livebot.stt.diarize.turns import Turn
from livebot.stt.host import framing
from livebot.stt.host.framing import Frame


class _Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """One line of JSON."""


class Find(_Message, frozen=True, tag="find"):
    """Parent: who speaks when in this file? The one thing it ever says.

    Attributes:
        path: The file's, as the system writes it; in JSON as Base64.
        speakers: How many there are, if that is known.
        threads: As many cores may work at once.
        memory: As many bytes of data may be held; 0 for no limit.
    """

    path: bytes
    speakers: int | None = None
    threads: int = 1
    memory: int = 0


class Heard(_Message, frozen=True, tag="heard"):
    """Process: so many seconds have been heard; never less than before."""

    seconds: float


class Found(_Message, frozen=True, tag="found"):
    """Process: some of the turns, in order. Many lines of them, since a line is bounded."""

    turns: list[Turn]


class Done(_Message, frozen=True, tag="done"):
    """Process: those were all."""


class Unreadable(_Message, frozen=True, tag="unreadable"):
    """Process: the file cannot be read, for this reason."""

    message: str


class Failed(_Message, frozen=True, tag="failed"):
    """Process: speakers cannot be told apart here, for this reason."""

    message: str


FromProcess: TypeAlias = Heard | Found | Done | Unreadable | Failed

_encoder = msgspec.json.Encoder()
_find = msgspec.json.Decoder(Find)
_from_process: msgspec.json.Decoder[FromProcess] = msgspec.json.Decoder(FromProcess)


def to_frame(message: Find | FromProcess) -> Frame:
    """Write a message."""
    return Frame(_encoder.encode(message))


def read_find(frame: Frame) -> Find:
    """Read what the parent says.

    Raises:
        FramingError: It is no such message.
    """
    return framing.read(_find, frame, "no question about a file")


def read_from_process(frame: Frame) -> FromProcess:
    """Read what the process says.

    Raises:
        FramingError: It is no such message.
    """
    return framing.read(_from_process, frame, "no message about speakers")
