"""What the parent and a worker say to each other; the only file that knows the keys (pure)."""

from typing import TypeAlias

import msgspec

from livebot.stt.host import framing
from livebot.stt.host.framing import Frame
from livebot.stt.languages import AUTO


class _Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """One line of JSON."""


class Open(_Message, frozen=True, tag="open"):
    """Parent: a new stream of somebody who speaks now.

    Attributes:
        stream: A number that no other open stream has.
        language: A code the model knows, or `auto`.
    """

    stream: int
    language: str = AUTO


class Read(_Message, frozen=True, tag="read"):
    """Parent: recognise a file; as a stream that is finished already.

    Attributes:
        stream: A number that no other open stream has.
        path: The file.
        language: A code the model knows, or `auto`.
        translate: Whether to write it down in English.
        from_s: What comes before this is not to be recognised, in seconds.
    """

    stream: int
    path: str
    language: str = AUTO
    translate: bool = False
    from_s: float = 0.0


class Audio(_Message, frozen=True, tag="audio"):
    """Parent: `bytes` bytes of float32 little-endian at `audio.pcm.RATE_HZ` follow."""

    stream: int
    bytes: int


class Finish(_Message, frozen=True, tag="finish"):
    """Parent: no more audio comes; answer with the last words and `Done`."""

    stream: int


class Close(_Message, frozen=True, tag="close"):
    """Parent: nobody listens to this stream any more."""

    stream: int


class Ping(_Message, frozen=True, tag="ping"):
    """Parent: say that you live."""


class Ready(_Message, frozen=True, tag="ready"):
    """Worker: the model is loaded, and has been tried.

    Attributes:
        model: What users call it.
        folder: Where its files are.
        languages: Codes of what it understands, and their English names.
        translates: Whether it can write English of other languages.
        load_s: How long loading took.
        trial_s: How long it took to recognise one second.
    """

    model: str
    folder: str
    languages: dict[str, str]
    translates: bool
    load_s: float
    trial_s: float


class Failed(_Message, frozen=True, tag="error"):
    """Worker: it cannot work, and ends."""

    message: str


class Spoken(_Message, frozen=True, tag="word"):
    """Worker: a word that will not change."""

    stream: int
    text: str
    start: float
    end: float
    joined: bool = False


class Maybe(_Message, frozen=True, tag="tentative"):
    """Worker: what it hears after the words so far."""

    stream: int
    text: str


class Paused(_Message, frozen=True, tag="pause"):
    """Worker: the speaker paused."""

    stream: int


class Taken(_Message, frozen=True, tag="taken"):
    """Worker: so much audio is out of the way, and as much may follow."""

    stream: int
    bytes_taken: int


class Progress(_Message, frozen=True, tag="progress"):
    """Worker: so much of a file has been recognised.

    Attributes:
        stream: Whose.
        heard_s: Seconds from the beginning of the file; never decreasing.
        total_s: Its length in seconds; 0 where the file does not say.
    """

    stream: int
    heard_s: float
    total_s: float = 0.0


class Language(_Message, frozen=True, tag="language"):
    """Worker: the language of a stream that was opened with `auto`; before its first word."""

    stream: int
    language: str
    probability: float


class Unreadable(_Message, frozen=True, tag="unreadable"):
    """Worker: the file of this stream cannot be read; the stream is over."""

    stream: int
    message: str


class Done(_Message, frozen=True, tag="done"):
    """Worker: the last word of a finished stream was said."""

    stream: int


class Pong(_Message, frozen=True, tag="pong"):
    """Worker: the answer to `Ping`, at once, and for how long the pass of now has been running."""

    busy_s: float = 0.0


ToWorker: TypeAlias = Open | Read | Audio | Finish | Close | Ping
OfStream: TypeAlias = Spoken | Maybe | Paused | Taken | Progress | Language | Unreadable | Done
"""What a worker says of one stream."""

FromWorker: TypeAlias = Ready | Failed | Pong | OfStream

_encoder = msgspec.json.Encoder()
_to_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)
_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)


def to_frame(message: ToWorker | FromWorker, payload: bytes = b"") -> Frame:
    """Write a message; `payload` is what an `Audio` counts."""
    return Frame(_encoder.encode(message), payload)


def read_to_worker(frame: Frame) -> ToWorker:
    """Read what the parent says.

    Raises:
        FramingError: It is no such message.
    """
    return framing.read(_to_worker, frame, "no message to a worker")


def read_from_worker(frame: Frame) -> FromWorker:
    """Read what a worker says.

    Raises:
        FramingError: It is no such message.
    """
    return framing.read(_from_worker, frame, "no message from a worker")
