"""Where to cut what somebody said into subtitles (pure).

Of all ways to cut an utterance the one is taken that costs least: cues end with sentences
rather than at commas, there rather than at pauses, and there rather than anywhere; few cues
are better than many, and none is shown for long or before it is said.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from livebot.captions.text import is_sentence_end
from livebot.transcripts.pieces import Piece

LINE = 42
"""Columns that subtitles usually have: two lines of them are read at a glance."""

_CLAUSE_ENDS = frozenset(",;:،、，；：–—")  # noqa: RUF001  # marks that look like others

PAUSE_S = 0.3
LONG_PAUSE_S = 1.5
LONGEST_S = 7.0
SHORTEST_S = 1.0

_CUE, _CLAUSE, _PAUSE, _ANYWHERE, _TOO_EARLY = 1.0, 0.5, 0.7, 2.0, 2.0
"""What it costs to have one more cue, and to end one elsewhere than with a sentence."""

_WITHIN = 0.5
"""What a break within a cue costs, against one at its end."""

Lines = list[Sequence[Piece]]


class Cutter:
    """Cuts one utterance.

    Args:
        parts: What was said; none of it wider than `first`.
        first: Columns of a cue's first line.
    """

    def __init__(self, parts: Sequence[Piece], first: int = LINE) -> None:
        self._parts = parts
        self._first = first
        self._columns = [0, *accumulate(piece.width + piece.spaced for piece in parts)]
        """Up to the end of each piece, all of them on one long line."""
        self._breaks = [0.0, *(self._break_cost(at) for at in range(1, len(parts) + 1))]
        """What it costs to break before each piece."""

    def cues(self) -> list[Lines]:
        """Return the lines of each cue, in order."""
        ways = self._cheapest()
        found: list[Lines] = []
        end = len(self._parts)
        while end:
            found.append(self._lines(ways[end], end))
            end = ways[end]
        return found[::-1]

    def _cheapest(self) -> list[int]:
        """Return for each place where the cue that ends there should begin."""
        costs, ways = [0.0], [0]
        for end in range(1, len(self._parts) + 1):
            cost, start = min((costs[i] + cost, i) for i, cost in self._costs(end))
            costs.append(cost)
            ways.append(start)
        return ways

    def _costs(self, end: int) -> Iterator[tuple[int, float]]:
        """Yield where a cue that ends before the piece `end` can begin, and what it costs."""
        parts = self._parts
        fixed = _CUE + self._breaks[end]
        for start in range(end - 1, -1, -1):
            places = self._places(start, end)
            if places is not None and not places:
                return
            if start < end - 1 and parts[start + 1].start - parts[start].end >= LONG_PAUSE_S:
                fixed += _TOO_EARLY
            broken = _WITHIN * min(self._breaks[places.start : places.stop]) if places else 0.0
            lasts = parts[end - 1].end - parts[start].start
            wrong = max(0.0, lasts - LONGEST_S) + max(0.0, SHORTEST_S - lasts)
            yield start, fixed + broken + wrong

    def _break_cost(self, at: int) -> float:
        """Return what it costs to break before the piece `at`."""
        parts = self._parts
        if at == len(parts) or is_sentence_end(parts[at - 1].text):
            return 0.0
        if parts[at - 1].text[-1] in _CLAUSE_ENDS:
            return _CLAUSE
        return _PAUSE if parts[at].start - parts[at - 1].end >= PAUSE_S else _ANYWHERE

    def _places(self, start: int, end: int) -> range | None:
        """Return where the second line may begin; None where one line is enough."""
        limit = self._first + self._columns[start] + self._parts[start].spaced
        full = max(start + 1, bisect_right(self._columns, limit) - 1)
        if end <= full:
            return None
        # The space that a second line begins with takes no room, whatever it begins with.
        least = bisect_left(self._columns, self._columns[end] - LINE - 1, start + 1)
        if self._width(min(least, end), end) > LINE:
            least += 1
        return range(least, full + 1)

    def _lines(self, start: int, end: int) -> Lines:
        """Return the best one or two lines of pieces that fit."""
        places = self._places(start, end)
        if not places:
            return [self._parts[start:end]]
        at = min(places, key=lambda at: self._unevenness(start, at, end))
        return [self._parts[start:at], self._parts[at:end]]

    def _unevenness(self, start: int, at: int, end: int) -> float:
        """Return what it costs to begin the second line with the piece `at`."""
        difference = abs(self._width(start, at) - self._width(at, end))
        return self._breaks[at] + 2 * difference / LINE

    def _width(self, start: int, end: int) -> int:
        return self._columns[end] - self._columns[start] - self._parts[start].spaced
