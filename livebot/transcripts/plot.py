"""A transcript as a picture (pure): sound, who speaks when, words, and where words are missing.

It is SVG without a script, for a page or a viewer of pictures; it is light or dark as the reader's
system is, and says in words what it shows to who cannot see it. Whatever comes, it has less than
a megabyte.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from livebot.audio.peaks import Peaks
from livebot.transcripts.clock import short
from livebot.transcripts.lettering import labels, shortened
from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean
from livebot.transcripts.plot_style import HATCH, STYLE, colours
from livebot.transcripts.sheet import LEFT, Line, Missing, Row, Sheet, lay_out
from livebot.transcripts.xml_text import cut, escaped, share

_HEAD, _TIMES, _WAVE, _ROW, _BELOW = 64, 18, 46, 26, 16
"""Heights in pixels: what is above the lines, and of each line its times, its sound, a row for
each who speaks, and what is below."""

_BAR = 21
"""Of a row."""

_STROKE, _STROKES = 2, 540
"""Pixels from one stroke of the sound to the next, at least, and how many a line has at most."""

_NAME_PX = 92
"""A name beside a row; its letters are bold."""

_TITLES, _WORDS, _SPOKEN = 200_000, 150_000, 4_000
"""Bytes of text at most: of bars, of words on them, and of what a screen reader is told."""

_TITLE = 60
"""Bytes that a bar's title has besides what was said."""

_TICK_PX = 70
"""Times are so far apart at least."""

_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)

_QUIETEST = 0.003
"""So quiet a recording is shown as loud as any; one that is more so is silence."""


def svg(
    transcript: Transcript,
    peaks: Peaks | None = None,
    *,
    missing: Sequence[Missing] = (),
    width: int = 1200,
) -> str:
    """Draw a transcript.

    Args:
        transcript: What was said.
        peaks: Of its sound; None where that is gone.
        missing: Where words are missing.
        width: In pixels; as high as it needs to be.
    """
    least_s = len(peaks.low) * peaks.bin_s if peaks else 0.0
    sheet = lay_out(transcript, missing, width_px=width, least_s=least_s)
    return "".join(_Drawing(transcript, sheet, peaks, width).parts()) + "\n"


class _Drawing:
    """One picture on its way to text."""

    def __init__(
        self, transcript: Transcript, sheet: Sheet, peaks: Peaks | None, width: int
    ) -> None:
        self._transcript = transcript
        self._sheet = sheet
        self._peaks = peaks
        self._width = width
        self._scale = _loudness(peaks)
        bars = [bar for line in sheet.lines for row in line.rows.values() for bar in row.bars]
        self._share = share((_TITLE + len(escaped(bar.text).encode()) for bar in bars), _TITLES)
        self._words_left = _WORDS
        self._kept: dict[int, list[str]] = {}
        ordered = sorted(transcript.utterances, key=lambda each: each.start)
        given = colours(each.speaker for each in ordered)
        self._given = {clean(name): f"s{number}" for name, number in given.items()}
        self._stroke = max(_STROKE, math.ceil(sheet.plot_px / _STROKES))

    def parts(self) -> Iterator[str]:
        """Yield it."""
        tops, height = self._tops()
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" '
            f'aria-labelledby="plot-title plot-desc" width="{self._width}" height="{height}" '
            f'viewBox="0 0 {self._width} {height}">'
        )
        name = cut(self._transcript.source, _SPOKEN) or "Transcript"
        yield f'<title id="plot-title">{name}</title>'
        yield f'<desc id="plot-desc">{cut(self._description(), _SPOKEN)}</desc>'
        yield f"<style>{STYLE}</style><defs>{HATCH}</defs>"
        yield f'<rect class="back" width="{self._width}" height="{height}"/>'
        shown = escaped(shortened(clean(self._transcript.source) or "Transcript", self._width / 2))
        yield f'<text class="head" x="12" y="28">{shown}</text>'
        yield f'<text class="facts" x="12" y="48">{escaped(self._facts())}</text>'
        for line, top in zip(self._sheet.lines, tops, strict=True):
            yield from self._line(line, top)
        yield "</svg>"

    def _tops(self) -> tuple[list[int], int]:
        """Return where each line begins, and where the picture ends."""
        tops, at = [], _HEAD
        for line in self._sheet.lines:
            tops.append(at)
            at += self._height(line) + _BELOW
        return tops, at

    def _height(self, line: Line) -> int:
        return _TIMES + self._wave + _ROW * max(1, len(line.rows))

    @property
    def _wave(self) -> int:
        return _WAVE if self._peaks else 0

    def _line(self, line: Line, top: int) -> Iterator[str]:
        yield from self._times(line, top)
        below = top + _TIMES + self._wave
        if self._peaks:
            yield from self._sound(line, top + _TIMES, self._peaks)
        for number, row in enumerate(sorted(line.rows.values(), key=_order)):
            yield from self._row(line, row, below + _ROW * number)
        for each in line.missing:
            yield self._missing(line, each, top)

    def _times(self, line: Line, top: int) -> Iterator[str]:
        sheet = self._sheet
        end = sheet.x(line, sheet.duration)
        bottom = top + self._height(line)
        step = next((s for s in _TICKS_S if s * sheet.px_per_s >= _TICK_PX), sheet.line_s)
        marks, texts = "", ""
        for number in range(int(sheet.line_s / step)):
            at = line.start + number * step
            if at > sheet.duration:
                break
            x = _px(sheet.x(line, at))
            marks += f"M{x} {top + _TIMES - 4}V{bottom}"
            texts += f'<text class="time" x="{x}" y="{top + 10}">{short(at)}</text>'
        yield f'<path class="tick" d="{marks}"/>{texts}'
        yield f'<path class="axis" d="M{LEFT} {top + _TIMES - 3}H{_px(end)}"/>'

    def _sound(self, line: Line, top: int, peaks: Peaks) -> Iterator[str]:
        """Yield strokes from the lowest to the highest, in the colour of who speaks."""
        sheet, middle, half = self._sheet, top + _WAVE / 2, _WAVE / 2 - 3
        paths: dict[str, list[str]] = {}
        kinds = self._colours(line)
        step_s = self._stroke / sheet.px_per_s
        found = peaks.strokes(line.start, step_s, len(kinds))
        lows, highs = (
            np.rint(middle - half * np.clip(each * self._scale, -1, 1)).astype(int).tolist()
            for each in found
        )
        # What the sound of a line ends with may be in the middle of it.
        for column, (low, high, colour) in enumerate(zip(lows, highs, kinds, strict=False)):
            x = LEFT + column * self._stroke
            paths.setdefault(colour, []).append(f"M{x} {high}V{max(low, high + 1)}")
        for colour, strokes in paths.items():
            yield f'<path class="sound {colour}" d="{"".join(strokes)}"/>'

    def _colours(self, line: Line) -> list[str]:
        """Return the colour of each stroke."""
        found = ["quiet"] * (self._sheet.plot_px // self._stroke)
        for row in sorted(line.rows.values(), key=_order, reverse=True):
            for bar in row.bars:
                ends = (self._sheet.x(line, each) - LEFT for each in (bar.start, bar.end))
                first, last = (int(each / self._stroke) for each in ends)
                many = len(found[first : last + 1])
                found[first : last + 1] = [self._colour(row)] * many
        return found

    def _colour(self, row: Row) -> str:
        return "quiet" if row.number < 0 else self._given.get(row.name, "nobody")

    def _row(self, line: Line, row: Row, top: int) -> Iterator[str]:
        sheet, colour = self._sheet, self._colour(row)
        if row.name:
            name = escaped(shortened(row.name, _NAME_PX))
            yield f'<text class="name {colour}" x="{LEFT - 10}" y="{top + 15}">{name}</text>'
        before = self._kept.pop(row.number, [])
        written, self._kept[row.number] = labels(sheet, line, row, before)
        for bar in row.bars:
            x, end = sheet.x(line, bar.start), sheet.x(line, bar.end)
            is_bare = not sheet.shows_words and not any(x < label.x < end for label in written)
            kind = f"bar {colour} bare" if is_bare else f"bar {colour}"
            title = f"{row.name}, " if row.name else ""
            title += f"{short(bar.start)} to {short(bar.end)}: {bar.text}"
            yield (
                f'<rect class="{kind}" x="{_px(x)}" y="{top}" width="{_px(max(1.0, end - x))}" '
                f'height="{_BAR}" rx="3"><title>{cut(title, self._share)}</title></rect>'
            )
        for label in written:
            place = f'x="{_px(label.x)}" y="{top + 15}"'
            text = f'<text class="word" {place}>{escaped(label.text)}</text>'
            self._words_left -= len(text.encode())
            if self._words_left > 0:
                yield text

    def _missing(self, line: Line, gap: Missing, top: int) -> str:
        x, end = self._sheet.x(line, gap.start), self._sheet.x(line, gap.end)
        title = f"Words may be missing from {short(gap.start)} to {short(gap.end)}"
        title += f": {gap.why}" if gap.why else ""
        return (
            f'<rect class="missing" x="{_px(x)}" y="{top + _TIMES - 3}" '
            f'width="{_px(max(2.0, end - x))}" height="{self._height(line) - _TIMES}">'
            f"<title>{cut(title, 200)}</title></rect>"
        )

    def _facts(self) -> str:
        said = self._transcript
        speakers = {each.speaker for each in said.utterances if each.speaker}
        facts = [
            short(self._sheet.duration),
            said.language,
            said.model,
            f"{len(speakers)} speaking" if speakers else "",
            "" if said.utterances else "nobody speaks in it",
        ]
        return " · ".join(clean(fact) for fact in facts if fact)

    def _description(self) -> str:
        """Return in words what the picture shows."""
        times: Counter[str] = Counter()
        for each in self._transcript.utterances:
            times[clean(each.speaker)] += max(1, round(each.end - each.start))
        people = ", ".join(f"{who or 'somebody'} for {short(s)}" for who, s in times.items())
        said = f"Speech: {people}. {clean(self._transcript.text)}" if people else "Nobody speaks."
        return f"{short(self._sheet.duration)} of sound. {said}"


def _loudness(peaks: Peaks | None) -> float:
    """Return by what to multiply so that all but the loudest moments fit."""
    if peaks is None or not len(peaks.low):
        return 1.0
    usual = float(np.percentile(np.maximum(peaks.high, -peaks.low), 99.5))
    return 1.0 / max(usual, _QUIETEST)


def _order(row: Row) -> tuple[bool, int]:
    """Return what rows are ordered by: who spoke first, and everybody else last."""
    return row.number < 0, row.number


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
