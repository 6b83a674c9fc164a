r"""Lines of JSON from anybody, some followed by a counted binary payload (pure).

    {"type":"audio","stream":"a","bytes":19200}\n<19,200 bytes>

Rule 1: a payload follows a line if and only if that is a JSON object whose `type` is `audio`
and whose `bytes` is a number from 0 to `MAX_PAYLOAD`. It is taken off whatever else is wrong.
Rule 2: where an `audio` has no such number, nobody can know where the next line begins: all is
skipped up to the next line that is a JSON object, with one complaint.
Rule 3: any other line that is no JSON object is one complaint; a blank one is nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

MAX_LINE = 65_536
"""Bytes. The longest signed links have some thousands."""

MAX_PAYLOAD = 4 * 1024 * 1024
"""Bytes: 43 s of audio, far more than a chunk."""

AUDIO = "audio"

NO_OBJECT = "the line is not a JSON object"
TOO_LONG = f"the line has more than {MAX_LINE} bytes: all up to its end is skipped"
UNCOUNTED = (
    f"bytes must be a number from 0 to {MAX_PAYLOAD}: all is skipped up to the next line that is"
    " a JSON object"
)
CUT_OFF = "the input ended in the middle of audio"


@dataclass(frozen=True, slots=True)
class Frame:
    """A JSON object, in bytes, and what follows it."""

    line: bytes
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something else.

    Attributes:
        reason: What to tell who wrote it.
    """

    reason: str


Item: TypeAlias = Frame | Garbage


class _Head(msgspec.Struct):
    """The keys that framing knows; with any value, since anybody may write anything."""

    type: object = None
    bytes: object = None


_head = msgspec.json.Decoder(_Head)


class Decoder:
    """Bytes in, as they come; frames and complaints out. It goes on after any garbage."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no line ends before this
        self._audio: bytes | None = None  # the line whose payload is awaited
        self._missing = 0
        self._too_long = False  # in the middle of a line that was complained of
        self._lost = False  # rule 2

    def feed(self, data: bytes) -> Iterator[Item]:
        """Take bytes in and yield what they complete."""
        self._buffer += data
        while (item := self._next()) is not None:
            yield item

    def end(self) -> Iterator[Item]:
        """Take the end of the input in: the last line may have no line break."""
        if self._audio is not None:
            yield Garbage(CUT_OFF)
        else:
            yield from self.feed(b"\n")

    def _next(self) -> Item | None:
        while True:
            if self._audio is not None:
                return self._payload()
            end = self._buffer.find(b"\n", self._searched)
            if end < 0:
                return self._unfinished()
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            if self._too_long:
                self._too_long = False
            elif (item := self._item(line)) is not None:
                return item

    def _payload(self) -> Frame | None:
        """Return the audio once all of it is there."""
        if self._audio is None or len(self._buffer) < self._missing:
            return None
        frame = Frame(self._audio, bytes(self._buffer[: self._missing]))
        del self._buffer[: self._missing]
        self._audio = None
        return frame

    def _unfinished(self) -> Garbage | None:
        """Keep the beginning of a line, unless it is too long for one."""
        self._searched = len(self._buffer)
        if self._searched <= MAX_LINE:
            return None
        self._buffer.clear()
        self._searched = 0
        was_told, self._too_long = self._too_long or self._lost, True
        return None if was_told else Garbage(TOO_LONG)

    def _item(self, line: bytes) -> Item | None:
        """Return what a whole line is; None where nothing is to be said, or its audio awaited."""
        if not line.strip():
            return None
        is_short = len(line) <= MAX_LINE
        head = _read(line) if is_short else None
        if head is None:
            return None if self._lost else Garbage(NO_OBJECT if is_short else TOO_LONG)
        self._lost = False
        if head.type != AUDIO:
            return Frame(line)
        if type(head.bytes) is not int or not 0 <= head.bytes <= MAX_PAYLOAD:
            self._lost = True
            return Garbage(UNCOUNTED)
        self._audio, self._missing = line, head.bytes
        return None


def _read(line: bytes) -> _Head | None:
    try:
        return _head.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
