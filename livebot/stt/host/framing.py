r"""Lines of JSON, some followed by a counted binary payload (pure).

    {"type":"audio","stream":3,"bytes":19200}\n<19,200 bytes>

Shared by both ends of a worker's stdin and stdout. What a line means is `messages.py`'s
business; this file only knows that its key `bytes` counts what follows it.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from livebot.errors import EngineError

Message = TypeVar("Message")

MAX_LINE = 65_536
"""Longer than any message: a line that does not end is no line of ours."""

MAX_PAYLOAD = 4 * 1024 * 1024
"""40 s of audio, far more than a chunk."""


class FramingError(EngineError):
    """What arrives is not what this file writes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A line and what follows it.

    Attributes:
        line: A JSON object without line breaks; its key `bytes` is the payload's length,
            and is missing where there is none.
        payload: The bytes after the line.
    """

    line: bytes
    payload: bytes = b""


class _Head(msgspec.Struct):
    """The one key that framing knows."""

    bytes: int = 0


_head = msgspec.json.Decoder(_Head)


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame.

    Raises:
        FramingError: The other end would refuse it.
    """
    if b"\n" in frame.line or len(frame.line) > MAX_LINE:
        raise FramingError("the line is too long or not one line", retryable=False)
    if _count(frame.line) != len(frame.payload):
        raise FramingError("the line does not count the payload", retryable=False)
    return b"%b\n%b" % (frame.line, frame.payload)


class Decoder:
    """Bytes in, as they come; whole frames out. After an error it is of no further use."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line: bytes | None = None
        self._missing = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes in and return the frames that they complete.

        Raises:
            FramingError: They are no frames, or too large.
        """
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if self._line is None:
            end = self._buffer.find(b"\n")
            if max(end, -1 if end >= 0 else len(self._buffer)) > MAX_LINE:
                raise FramingError("a line is too long", retryable=False)
            if end < 0:
                return None
            self._line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._missing = _count(self._line)
        if len(self._buffer) < self._missing:
            return None
        frame = Frame(self._line, bytes(self._buffer[: self._missing]))
        del self._buffer[: self._missing]
        self._line = None
        return frame


def _count(line: bytes) -> int:
    try:
        count = _head.decode(line).bytes
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise FramingError("a line is not a JSON object", retryable=False) from exc
    if not 0 <= count <= MAX_PAYLOAD:
        raise FramingError("a payload is too large", retryable=False)
    return count


def read(decoder: msgspec.json.Decoder[Message], frame: Frame, what: str) -> Message:
    """Read the message that a frame's line is.

    Args:
        decoder: Of the messages that there may be.
        frame: Its payload is of no account.
        what: What to say where it is none of them.

    Raises:
        FramingError: It is none of them.
    """
    try:
        return decoder.decode(frame.line)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise FramingError(what, retryable=False) from exc
