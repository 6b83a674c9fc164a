"""The elements of a Matroska or WebM file, however it is cut (RFC 8794, RFC 9559; pure).

What contains others is only entered: where it ends does not matter to a reader of a stream. What
is not wanted is left out without being kept.
"""

from collections.abc import Collection, Iterator
from typing import Final

from livebot.errors import RequestError

MAGIC: Final = b"\x1a\x45\xdf\xa3"

MOST_BYTES: Final = 1 << 20
"""Of an element that is wanted."""

NONE: Final = "this is no WebM, or a part of one without its beginning"

_MOST_ID, _MOST_SIZE = 4, 8


class Elements:
    """Reads elements.

    Args:
        inside: The names of those to be entered.
        wanted: The names of those whose content matters.
    """

    def __init__(self, inside: Collection[int], wanted: Collection[int]) -> None:
        self._inside = inside
        self._wanted = wanted
        self._data = bytearray()
        self._leave_out = 0
        self._is_known = False

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take bytes in; yield each wanted element, and each that is entered without content.

        Raises:
            RequestError: This is no such file.
        """
        self._data += data
        if not self._is_known:
            if not MAGIC.startswith(self._data[: len(MAGIC)]):
                raise RequestError(NONE)
            self._is_known = len(self._data) >= len(MAGIC)
        at = 0
        try:
            while True:
                at = self._left_out(at)
                if (found := self._next(at)) is None:
                    return
                name, at, content = found
                if content is not None:
                    yield name, content
        finally:
            del self._data[:at]

    def _left_out(self, at: int) -> int:
        """Return where what is not wanted ends."""
        count = min(self._leave_out, len(self._data) - at)
        self._leave_out -= count
        return at + count

    def _next(self, at: int) -> tuple[int, int, bytes | None] | None:
        """Return the name, where the next one is, and the content if it is wanted."""
        if not (begin := _end(self._data, at, _MOST_ID)):
            return None
        name = int.from_bytes(self._data[at:begin], "big")
        if not (end := _end(self._data, begin, _MOST_SIZE)):
            return None
        mask = (1 << 7 * (end - begin)) - 1
        size = int.from_bytes(self._data[begin:end], "big") & mask
        begin = end
        if name in self._inside:
            return name, begin, b""
        if size == mask:
            raise RequestError("this WebM has an element without a size")
        if name not in self._wanted:
            self._leave_out = size
            return name, begin, None
        if size > MOST_BYTES:
            raise RequestError("this WebM has an element that is too long")
        if len(self._data) < begin + size:
            return None
        return name, begin + size, bytes(self._data[begin : begin + size])


def _end(data: bytearray, at: int, most: int) -> int:
    """Return where a number of variable length ends; 0 if it is not whole yet.

    Raises:
        RequestError: None is so long.
    """
    if at >= len(data):
        return 0
    length = 9 - data[at].bit_length()
    if length > most:
        raise RequestError(NONE)
    return at + length if len(data) >= at + length else 0
