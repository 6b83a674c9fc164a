"""What a text may be cut into without harm (pure): words, and parts of what is longer than a line.

Between two pieces there may be a line break. Scripts without spaces may be broken between
words, and other words that belong together (`it` and `'s`) may not.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livebot.captions.text import gap, head_length, is_spaceless
from livebot.stt.engine import Word

_OPENING = frozenset({"Ps", "Pi"})
"""Unicode's categories of brackets and quotation marks that no line ends with."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What stays on one line.

    Attributes:
        text: One word or several that cling together; without white space.
        start: When its sound begins, in seconds.
        end: When it ends; never before `start`.
        spaced: Whether a space parts it from the piece before it.
    """

    text: str
    start: float
    end: float
    spaced: bool

    @property
    def width(self) -> int:
        """Return its columns."""
        return width(self.text)


def width(text: str) -> int:
    """Return how many columns a text takes: two for an ideograph, none for an accent."""
    return sum(_columns(mark) for mark in text)


def clean(text: str) -> str:
    """Return the text on one line, without control characters."""
    marks = "".join(c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return " ".join(marks.split())


def pieces(words: Sequence[Word], language: str, *, most: int) -> list[Piece]:
    """Cut what somebody said.

    Args:
        words: With or without times; those that are missing or go backwards are mended.
        language: Code of what is spoken; may be empty.
        most: Columns that no piece exceeds.
    """
    found: list[Piece] = []
    for piece in _parts(words):
        last = found[-1] if found else None
        if last is None or piece.spaced or _may_part(last.text, piece.text, language):
            found.append(piece)
        else:
            found[-1] = Piece(last.text + piece.text, last.start, piece.end, last.spaced)
    return [small for piece in found for small in _fitting(piece, most)]


def _parts(words: Sequence[Word]) -> Iterator[Piece]:
    """Yield what white space parts, with times that never go backwards."""
    now = 0.0
    for number, word in enumerate(words):
        start = max(now, word.start or 0.0)
        now = end = max(start, word.end or 0.0)
        texts = clean(word.text).split()
        spans = _spans(texts, start, end)
        for part, (text, (begin, finish)) in enumerate(zip(texts, spans, strict=True)):
            spaced = bool(part) or (number > 0 and not word.joined)
            yield Piece(text, begin, finish, spaced)


def _spans(texts: Sequence[str], start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield from when to when each of several texts lasts, by their lengths."""
    left = sum(map(len, texts))
    for text in texts:
        finish = start + (end - start) * len(text) / left
        # A rounding error must not make time go backwards.
        yield start, min(finish, end)
        start = min(finish, end)
        left -= len(text)


def _may_part(left: str, right: str, language: str) -> bool:
    """Return whether two words without a space between them may be on two lines."""
    if unicodedata.category(left[-1]) in _OPENING or not gap("a", right, "en"):
        return False
    return is_spaceless(left, right, language)


def _fitting(piece: Piece, most: int) -> Iterator[Piece]:
    """Yield a piece, cut where it is wider than `most`."""
    if piece.width <= most:
        yield piece
        return
    texts, rest = [], piece.text
    while rest:
        at = head_length(rest, _count(rest, most))
        texts.append(rest[:at])
        rest = rest[at:]
    for number, (text, span) in enumerate(
        zip(texts, _spans(texts, piece.start, piece.end), strict=True)
    ):
        yield Piece(text, *span, spaced=piece.spaced and not number)


def _count(text: str, most: int) -> int:
    """Return how many characters are at most `most` columns; at least one."""
    total = 0
    for number, mark in enumerate(text):
        total += _columns(mark)
        if total > most:
            return max(1, number)
    return len(text)


def _columns(mark: str) -> int:
    if unicodedata.combining(mark) or unicodedata.category(mark) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(mark) in {"W", "F"} else 1
