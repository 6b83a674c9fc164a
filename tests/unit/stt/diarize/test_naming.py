"""Pieces of speech become turns of people."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.diarize.hearing import Heard
from livebot.stt.diarize.naming import PAUSE_S, turns
from livebot.stt.diarize.turns import Turn

VOICES = np.eye(8, dtype=np.float32)


def heard(start: float, end: float, who: int | None, seat: int = 0) -> Heard:
    """Return a piece of somebody; None is somebody whose voice could not be described."""
    voice = None if who is None else VOICES[who]
    return Heard(start, end, seat, end - start, voice)


def test_people_are_numbered_as_they_are_heard() -> None:
    """From 0."""
    found = turns([heard(0, 3, 5), heard(4, 7, 1), heard(8, 11, 5)])

    assert found == [Turn(0, 3, 0), Turn(4, 7, 1), Turn(8, 11, 0)]


def test_pieces_without_a_pause_are_one_turn() -> None:
    """A longer pause ends it, and another person's turn does not."""
    found = turns([heard(0, 2, 0), heard(1.5, 4, 1), heard(2.1, 4, 0), heard(4.5, 6, 0)])

    assert found == [Turn(0, 4, 0), Turn(1.5, 4, 1), Turn(4.5, 6, 0)]


def test_who_cannot_be_told_by_the_voice_is_told_by_the_seat() -> None:
    """Of those shortly before and after the nearest one; seats change over time."""
    pieces = [
        heard(0, 3, 0, seat=0),
        heard(3, 6, 1, seat=1),
        heard(7, 7.2, None, seat=1),
        heard(8, 8.2, None, seat=0),
        heard(30, 30.3, None, seat=0),
    ]

    assert turns(pieces)[2:] == [Turn(7, 7.2, 1), Turn(8, 8.2, 0)]


def test_nobody() -> None:
    """Where nothing is heard, or nothing that could be a voice."""
    assert turns([]) == []
    assert turns([heard(0, 0.1, None)], people=3) == []


def test_a_click_is_no_turn() -> None:
    """Nor does it make one longer."""
    assert turns([heard(0, 3, 0), heard(3.2, 3.25, None), heard(6, 6.05, None)]) == [Turn(0, 3, 0)]


def test_a_short_word_makes_nobody_new() -> None:
    """It goes to whoever it sounds like, at that too little to go by."""
    mixed = VOICES[0] * 0.4 + VOICES[7] * 0.9
    short = Heard(10, 10.5, 0, 0.5, mixed)

    assert turns([heard(0, 3, 0), heard(4, 7, 1), short])[-1].speaker == 0


pieces_drawn = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 40), st.integers(-1, 7), st.integers(0, 2)),
    max_size=30,
)


@given(pieces_drawn, st.none() | st.integers(1, 9))
def test_turns_are_well_formed(drawn: list[tuple[int, int, int, int]], people: int | None) -> None:
    """In order, numbered without gaps, and one person's never overlap."""
    pieces = [
        heard(at / 10, (at + tenths) / 10, None if who < 0 else who, seat)
        for at, tenths, who, seat in sorted(drawn)
    ]

    found = turns(pieces, people=people)

    assert found == sorted(found, key=lambda turn: (turn.start, turn.end))
    assert list(dict.fromkeys(turn.speaker for turn in found)) == list(
        range(len({turn.speaker for turn in found}))
    )
    assert people is None or all(turn.speaker < people for turn in found)
    assert all(turn.start < turn.end for turn in found)
    for speaker in range(8):
        own = [turn for turn in found if turn.speaker == speaker]
        gaps = [after.start - before.end for before, after in pairwise(own)]
        assert all(gap >= PAUSE_S - 0.002 for gap in gaps)


@given(pieces_drawn)
def test_all_that_is_described_is_in_a_turn(drawn: list[tuple[int, int, int, int]]) -> None:
    """And no turn is longer than what was heard."""
    pieces = [
        heard(at / 10, (at + tenths) / 10, None if who < 0 else who, seat)
        for at, tenths, who, seat in sorted(drawn)
    ]

    found = turns(pieces)

    for piece in pieces:
        if piece.voice is not None:
            assert any(t.start <= piece.start and piece.end <= t.end for t in found)
    edges = {piece.start for piece in pieces} | {piece.end for piece in pieces}
    assert all(turn.start in edges and turn.end in edges for turn in found)
