"""Pieces of speech become turns of people (pure)."""

from bisect import bisect
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from livebot.stt.diarize.clustering import find_people
from livebot.stt.diarize.hearing import Heard
from livebot.stt.diarize.turns import Turn
from livebot.stt.diarize.windows import SEATS

Named: TypeAlias = tuple[Heard, int]

SURE_S = 0.8
"""Voices described by less do not tell who is there, only whose they are."""

NEAR_S = 10.0
"""Within this the same seat is the same person."""

CLICK_S = 0.1
"""Nobody says anything in less."""

PAUSE_S = 0.3
"""A shorter one does not end a turn."""


def turns(heard: Sequence[Heard], *, people: int | None = None) -> list[Turn]:
    """Tell who speaks when.

    Args:
        heard: Ordered by start.
        people: How many there are, if that is known.
    """
    described = [(piece, piece.voice) for piece in heard if piece.voice is not None]
    if not described:
        return []
    sure = [pair for pair in described if pair[0].alone_s >= SURE_S] or described
    known = find_people(
        np.array([voice for _, voice in sure], np.float64),
        np.array([piece.alone_s for piece, _ in sure]),
        people=people,
    )
    named = [(piece, int((known @ voice).argmax())) for piece, voice in described]
    return _in_order(_joined([*named, *_by_seat(heard, named)]))


def _by_seat(heard: Sequence[Heard], named: Sequence[Named]) -> list[Named]:
    """Name those whose voice nobody could describe: who sat there shortly before or after."""
    starts: list[list[float]] = [[] for _ in range(SEATS)]
    people: list[list[int]] = [[] for _ in range(SEATS)]
    for piece, person in named:
        starts[piece.seat].append(piece.start)
        people[piece.seat].append(person)
    out = []
    for piece in heard:
        if piece.voice is not None or piece.end - piece.start < CLICK_S:
            continue
        at = bisect(starts[piece.seat], piece.start)
        around = range(max(0, at - 1), min(at + 1, len(starts[piece.seat])))
        distances = [(abs(starts[piece.seat][i] - piece.start), i) for i in around]
        distance, nearest = min(distances, default=(NEAR_S, -1))
        if distance < NEAR_S:
            out.append((piece, people[piece.seat][nearest]))
    return out


def _joined(named: Sequence[Named]) -> list[Turn]:
    """Join what one person says without a pause."""
    open_turns: dict[int, Turn] = {}
    out = []
    for piece, person in sorted(named, key=lambda pair: pair[0].start):
        turn = open_turns.get(person)
        if turn and piece.start - turn.end < PAUSE_S:
            open_turns[person] = Turn(turn.start, max(turn.end, piece.end), person)
            continue
        if turn:
            out.append(turn)
        open_turns[person] = Turn(piece.start, piece.end, person)
    return [*out, *open_turns.values()]


def _in_order(turns: Sequence[Turn]) -> list[Turn]:
    """Number people in the order in which they are first heard."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    numbers: dict[int, int] = {}
    for turn in ordered:
        numbers.setdefault(turn.speaker, len(numbers))
    return [
        Turn(round(turn.start, 3), round(turn.end, 3), numbers[turn.speaker]) for turn in ordered
    ]
