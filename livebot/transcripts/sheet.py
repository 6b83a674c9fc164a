"""Where on a picture everything is that was said (pure): lines of a sheet, as music is written.

Each line shows so many seconds; below each other on it are those who speak then. Whatever comes,
there are at most `MOST_LINES` lines, `MOST_ROWS` rows on each, and `MOST_BARS` bars in all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from livebot.transcripts.cues import text_of
from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import Piece, clean, pieces

MOST_LINES = 48
"""Some screens to look through."""

MOST_ROWS = 8
"""On a line; in the last of them is everybody else."""

MOST_BARS = 1500
MOST_MISSING = 150

LEFT, RIGHT = 116, 12
"""Pixels for names and times, and for what is written beyond the end."""

_LINE_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds that a line may show, or any number of hours."""

_MOST_PX_PER_S = 110
"""So far apart words are easily read."""

_WORDS_PX_PER_S = 60
"""Nearer together not every word finds its place."""

_MOST_COLUMNS = 40
"""Of a word; longer ones are cut."""

_LEAST_GAP_PX = 2.0
"""What is nearer together is one bar."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Where words are missing, from `start` to `end` (seconds), and why in a few words."""

    start: float
    end: float
    why: str


@dataclass(slots=True)
class Bar:
    """Speech of one person without a pause that could be seen.

    Attributes:
        start: In seconds, as `end`.
        words: Those that begin between them.
    """

    start: float
    end: float
    words: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the words as text."""
        return text_of(self.words)


@dataclass(slots=True)
class Row:
    """What one person says on a line; `name` is empty where nobody knows who."""

    number: int
    name: str
    bars: list[Bar] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """Some seconds.

    Attributes:
        start: Of the first one.
        end: Where the next line begins.
        rows: Of those who speak, by their numbers.
        missing: Where words are missing.
    """

    start: float
    end: float
    rows: dict[int, Row] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it.

    Attributes:
        lines: In order.
        line_s: How many seconds each shows.
        plot_px: How wide they are.
        duration: In seconds, until nothing more is known.
    """

    lines: tuple[Line, ...]
    line_s: float
    plot_px: int
    duration: float

    @property
    def px_per_s(self) -> float:
        """Return the scale."""
        return self.plot_px / self.line_s

    @property
    def shows_words(self) -> bool:
        """Whether words are near their sound; else there is running text."""
        return self.px_per_s >= _WORDS_PX_PER_S

    def goes_on(self, line: Line, row: Row) -> bool:
        """Say whether somebody goes on speaking from a line to the next."""
        number = round(line.end / self.line_s)
        if number >= len(self.lines) or row.bars[-1].end < line.end:
            return False
        following = self.lines[number].rows.get(row.number)
        return following is not None and following.bars[0].start <= line.end

    def x(self, line: Line, time_s: float) -> float:
        """Return where a time is on a line, which ends at both of its ends."""
        return LEFT + min(max(0.0, time_s - line.start), self.line_s) * self.px_per_s


def lay_out(
    transcript: Transcript,
    missing: Sequence[Missing] = (),
    *,
    width_px: int = 1200,
    least_s: float = 0.0,
) -> Sheet:
    """Decide where everything is.

    Args:
        transcript: What was said.
        missing: Where words are missing.
        width_px: Of the picture.
        least_s: What there is to be shown besides, from the beginning on.
    """
    ends = [each.end for each in transcript.utterances] + [each.end for each in missing]
    duration = max([transcript.duration, least_s, 1.0, *ends])
    plot_px = max(100, width_px - LEFT - RIGHT)
    line_s = _line_s(duration, plot_px)
    count = max(1, math.ceil(duration / line_s - 1e-9))
    lines = tuple(Line(n * line_s, (n + 1) * line_s) for n in range(count))
    sheet = Sheet(lines, line_s, plot_px, duration)
    _add_bars(sheet, transcript)
    _add_missing(sheet, missing)
    _thin_out(sheet)
    return sheet


def _line_s(duration: float, plot_px: int) -> float:
    for seconds in _LINE_S:
        if plot_px / seconds <= _MOST_PX_PER_S and duration <= seconds * MOST_LINES:
            return float(seconds)
    return 3600.0 * math.ceil(duration / 3600.0 / MOST_LINES)


def _add_bars(sheet: Sheet, transcript: Transcript) -> None:
    numbers: dict[str, int] = {}
    for utterance in sorted(transcript.utterances, key=lambda each: each.start):
        name = clean(utterance.speaker)
        number = numbers.setdefault(name, len(numbers))
        language = utterance.language or transcript.language
        words = pieces(utterance.words, language, most=_MOST_COLUMNS)
        # Utterances may become one bar.
        words[:1] = [replace(word, spaced=True) for word in words[:1]]
        parts = list(_parts(sheet, utterance.start, utterance.end))
        for count, (line, start, end) in enumerate(parts, 1):
            # What is said when one line ends is on the next, where there is one.
            own = [word for word in words if word.start < end or count == len(parts)]
            words = words[len(own) :]
            row = _row(line, number, name)
            _add(row, Bar(start, end, own), _LEAST_GAP_PX / sheet.px_per_s)


def _parts(sheet: Sheet, start: float, end: float) -> Iterator[tuple[Line, float, float]]:
    """Yield the lines that a stretch is on, and from when to when."""
    last = len(sheet.lines) - 1
    first = min(max(0, int(start / sheet.line_s)), last)
    for line in sheet.lines[first : min(int(end / sheet.line_s), last) + 1]:
        begin, finish = max(start, line.start), min(max(end, start), line.end)
        if begin < finish or begin == start:
            yield line, begin, finish


def _row(line: Line, number: int, name: str) -> Row:
    """Return the row of somebody."""
    if number not in line.rows and len(line.rows) >= MOST_ROWS - 1:
        return line.rows.setdefault(-1, Row(-1, "others"))
    return line.rows.setdefault(number, Row(number, name))


def _add(row: Row, bar: Bar, least_gap_s: float) -> None:
    """Add a bar, or make it part of the one before."""
    if not row.bars or bar.start - row.bars[-1].end >= least_gap_s:
        row.bars.append(bar)
        return
    last = row.bars[-1]
    last.end = max(last.end, bar.end)
    last.words += bar.words


def _add_missing(sheet: Sheet, missing: Sequence[Missing]) -> None:
    for each in sorted(missing, key=lambda each: each.start):
        for line, start, end in _parts(sheet, each.start, each.end):
            line.missing.append(Missing(start, end, each.why))
    least_gap_s = _LEAST_GAP_PX / sheet.px_per_s
    while sum(len(line.missing) for line in sheet.lines) > MOST_MISSING:
        for line in sheet.lines:
            found, line.missing = line.missing, []
            for each in found:
                last = line.missing[-1] if line.missing else None
                if last is None or each.start - last.end >= least_gap_s:
                    line.missing.append(each)
                else:
                    line.missing[-1] = Missing(last.start, max(last.end, each.end), last.why)
        least_gap_s *= 2


def _thin_out(sheet: Sheet) -> None:
    """Make bars one that are near each other, until there are few enough."""
    rows = [row for line in sheet.lines for row in line.rows.values()]
    least_gap_s = _LEAST_GAP_PX / sheet.px_per_s
    while sum(len(row.bars) for row in rows) > MOST_BARS:
        least_gap_s *= 2
        for row in rows:
            bars, row.bars = row.bars, []
            for bar in bars:
                _add(row, bar, least_gap_s)
