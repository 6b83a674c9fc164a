"""Where on a sheet words are written (pure).

Nobody knows the reader's letters here; they are taken for rather wide ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from livebot.transcripts.pieces import width
from livebot.transcripts.sheet import Bar, Line, Row, Sheet

_PAD, _SPACE = 4.0, 4.0
"""Pixels at the ends of a bar, and between two words."""

_LEAST_TEXT_PX = 60.0
"""In less room there is nothing to read."""

_FONT_PX = 12
_NARROW, _THIN, _BROAD = (
    frozenset("ijlI|!.,:;' "),
    frozenset('frt-()[]/\\"“”'),
    frozenset("mwMW—…%@"),
)
"""Widths of letters in sans serif fonts; those that matter."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text, and where it begins."""

    x: float
    text: str


def labels(
    sheet: Sheet, line: Line, row: Row, before: Sequence[str] = ()
) -> tuple[list[Label], list[str]]:
    """Return what is written on a row: words near their sound, or as much text as fits.

    Args:
        sheet: With the line.
        line: With the row.
        row: Somebody's.
        before: Words that found no place at the end of the line before.

    Returns:
        It, and the words that are for the beginning of the next line.
    """
    found: list[Label] = []
    left = list(before)
    after = [bar.start for bar in row.bars[1:]] + [line.end]
    for bar, next_s in zip(row.bars, after, strict=True):
        begin, end = sheet.x(line, bar.start) + _PAD, sheet.x(line, bar.end) - _PAD
        if sheet.shows_words:
            until = max(end, sheet.x(line, next_s) - _PAD)
            keep = bar is row.bars[-1] and sheet.goes_on(line, row)
            placed, left = _placed(sheet, line, bar, until, left, keep=keep)
            found += placed
        elif end - begin >= _LEAST_TEXT_PX:
            found.append(Label(begin, shortened(bar.text, end - begin)))
    return found, left


def shortened(text: str, room_px: float) -> str:
    """Return as much of a text as fits, with three dots where that is not all."""
    if text_px(text) <= room_px:
        return text
    used = text_px("…")
    for number, mark in enumerate(text):
        used += text_px(mark)
        if used > room_px:
            return f"{text[:number].rstrip()}…"
    return text


def text_px(text: str) -> float:
    """Return about how wide a text is, in letters of `_FONT_PX`; rather more than less."""
    return _FONT_PX * sum(map(_em, text))


def _em(mark: str) -> float:
    if mark in _NARROW:
        return 0.34
    if mark in _THIN:
        return 0.45
    if mark in _BROAD:
        return 1.0
    return 0.7 * columns if (columns := width(mark)) != 1 or mark.isupper() else 0.62


def _placed(
    sheet: Sheet, line: Line, bar: Bar, until: float, before: Sequence[str], *, keep: bool
) -> tuple[list[Label], list[str]]:
    """Return the words near their sound, within the bar or up to what comes next, and the others.

    Where they do not fit, the last ones are kept for the next line, or left out for three dots.
    """
    begin, end = sheet.x(line, bar.start) + _PAD, sheet.x(line, bar.end) - _PAD
    ordered = sorted(bar.words, key=lambda word: word.start)
    words = [(begin, text) for text in before]
    words += [(sheet.x(line, word.start), word.text) for word in ordered]
    needed = sum(text_px(text) + _SPACE for _, text in words) - _SPACE
    left: list[str] = []
    if begin + needed > until:
        needed += 0.0 if keep else text_px("…")
        while words and begin + needed > until:
            left.append(words.pop()[1])
            needed -= text_px(left[-1]) + _SPACE
        if words and not keep:
            words[-1] = words[-1][0], f"{words[-1][1]}…"
    found = _spread(words, begin, end if begin + needed <= end else until)
    return found, left[::-1] if keep else []


def _spread(words: Sequence[tuple[float, str]], begin: float, end: float) -> list[Label]:
    """Return words at their places, moved as far as it takes for none to touch another."""
    places, free = [], begin
    for place, text in words:
        places.append(max(place, free))
        free = places[-1] + text_px(text) + _SPACE
    found: list[Label] = []
    for place, (_, text) in zip(reversed(places), reversed(words), strict=True):
        place = min(place, end - text_px(text))  # noqa: PLW2901
        end = place - _SPACE
        found.append(Label(max(begin, place), text))
    return found[::-1]
