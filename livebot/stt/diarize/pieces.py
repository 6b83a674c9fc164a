"""Overlapping windows become pieces of speech, each of one person (pure).

Of each window only the middle counts, where the model has heard what comes before and after.
What the overlaps have in common tells which seat of one window is which of the next.
"""

from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from livebot.stt.diarize.windows import CENTRE_S, FRAME_S, SEATS, Activity

LONGEST_S = 2.0
"""Longer ones are cut: whoever speaks for minutes is heard, piece by piece, as one person,
and what the segmentation took for one person may turn out to be two."""

_REST_S = 0.8
_PAUSE_S = 0.1


@dataclass(slots=True)
class Piece:
    """Somebody speaks.

    Attributes:
        start: In seconds.
        end: In seconds.
        seat: Who it is among those around: the same number a few seconds on is the same person.
        alone: Middles of the frames in which nobody else speaks, in seconds.
    """

    start: float
    end: float
    seat: int
    alone: list[float] = field(default_factory=list)

    @property
    def alone_s(self) -> float:
        """Return for how long nobody else speaks."""
        return len(self.alone) * FRAME_S


class Pieces:
    """Windows in, in order; pieces out, when they are over or long enough."""

    def __init__(self) -> None:
        self._before: tuple[float, Activity] | None = None
        self._open: dict[int, Piece] = {}

    def push(self, at_s: float, activity: Activity, from_s: float, to_s: float) -> list[Piece]:
        """Take a window in.

        Args:
            at_s: Where it begins, in seconds.
            activity: Who speaks in it.
            from_s: The part of it that counts, from its beginning; it follows the last one's.
            to_s: The end of that part.
        """
        activity = self._seated(at_s, activity)
        self._before = at_s, activity
        first, last = round(from_s / FRAME_S), min(round(to_s / FRAME_S), len(activity))
        done = []
        for seat in range(SEATS):
            for start, end in _runs(activity[first:last, seat]):
                frames = np.arange(first + start, first + end)
                crowd = activity[frames].sum(axis=1)
                alone = at_s + frames[crowd == 1] * FRAME_S + CENTRE_S
                span = at_s + (first + start) * FRAME_S, at_s + (first + end) * FRAME_S
                done += self._add(Piece(*span, seat, alone.tolist()))
        done += self._over(at_s + to_s - _PAUSE_S)
        return sorted(done, key=lambda piece: piece.start)

    def finish(self) -> list[Piece]:
        """Say that no more windows come."""
        return self._over(float("inf"))

    def _seated(self, at_s: float, activity: Activity) -> Activity:
        """Return the activity with its seats in the order of the window before."""
        if self._before is None:
            return activity
        before_s, before = self._before
        common = before[round((at_s - before_s) / FRAME_S) :].astype(int)
        shared = common.T @ activity[: len(common)].astype(int)
        best = max(permutations(range(SEATS)), key=lambda order: sum(shared[range(SEATS), order]))
        return activity[:, list(best)]

    def _add(self, piece: Piece) -> list[Piece]:
        """Go on with the seat's open piece, or open one."""
        going_on = self._open.get(piece.seat)
        done = []
        if going_on and piece.start - going_on.end < _PAUSE_S:
            going_on.end = piece.end
            going_on.alone += piece.alone
            piece = going_on
        elif going_on:
            done.append(going_on)
        while piece.end - piece.start > LONGEST_S + _REST_S:
            head, piece = _cut(piece, piece.start + LONGEST_S)
            done.append(head)
        self._open[piece.seat] = piece
        return done

    def _over(self, now_s: float) -> list[Piece]:
        over = [piece for piece in self._open.values() if piece.end < now_s]
        for piece in over:
            del self._open[piece.seat]
        return over


def _runs(spoken: Activity) -> list[tuple[int, int]]:
    """Return where true values begin and end, in a vector."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], spoken, [False]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _cut(piece: Piece, at_s: float) -> tuple[Piece, Piece]:
    head = Piece(piece.start, at_s, piece.seat, [t for t in piece.alone if t < at_s])
    return head, Piece(at_s, piece.end, piece.seat, [t for t in piece.alone if t >= at_s])
