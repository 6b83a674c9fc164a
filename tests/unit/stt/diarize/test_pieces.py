"""Windows become pieces of speech."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.stt.diarize.pieces import LONGEST_S, Piece, Pieces
from livebot.stt.diarize.windows import FRAME_S, FRAMES, HOP_S, SEATS, WINDOW_S, Activity

EDGE_S = (WINDOW_S - HOP_S) / 2
CLOSE = 3 * FRAME_S
"""Windows begin between two frames: times are that exact."""

Talk = tuple[float, float, int]
"""From when to when somebody speaks, and who."""


def activity(talk: list[Talk], at_s: float, seats: list[int]) -> Activity:
    """Return what the model would answer of a window, with people on these seats."""
    out = np.zeros((FRAMES, SEATS), np.bool_)
    times = at_s + np.arange(FRAMES) * FRAME_S
    for start, end, who in talk:
        out[(times >= start) & (times < end), seats[who]] = True
    return out


def listen(talk: list[Talk], length_s: float, shuffle: int | None = None) -> list[Piece]:
    """Return the pieces of a conversation; with `shuffle` seats differ from window to window."""
    dice = np.random.default_rng(shuffle)
    pieces, found = Pieces(), []
    number, from_s = 0, 0.0
    while True:
        at_s = number * HOP_S
        is_last = length_s <= at_s + WINDOW_S
        to_s = length_s - at_s if is_last else EDGE_S + HOP_S
        seats = [0, 1, 2] if shuffle is None else list(dice.permutation(SEATS))
        found += pieces.push(at_s, activity(talk, at_s, seats), from_s, to_s)
        if is_last:
            return found + pieces.finish()
        number, from_s = number + 1, EDGE_S


def test_who_speaks_across_windows_is_one_piece() -> None:
    """Until it is long enough."""
    (piece,) = listen([(5.5, 7.5, 0)], 30.0)

    assert (piece.start, piece.end) == pytest.approx((5.5, 7.5), abs=CLOSE)
    assert piece.alone_s == pytest.approx(2.0, abs=CLOSE)


def test_a_long_speech_is_cut() -> None:
    """Without losing any of it, and without a rest too short to tell a voice from."""
    pieces = listen([(1.0, 29.0, 1)], 30.0)

    lengths = [piece.end - piece.start for piece in pieces]
    assert max(lengths) < 2 * LONGEST_S
    assert min(lengths) > 0.7
    assert sum(lengths) == pytest.approx(28.0, abs=CLOSE)
    assert sum(piece.alone_s for piece in pieces) == pytest.approx(28.0, abs=CLOSE * 5)


def test_frames_in_which_two_speak_are_nobodys_alone() -> None:
    """Both pieces last as long as they last."""
    first, second = sorted(listen([(1.0, 3.0, 0), (2.0, 3.5, 1)], 10.0), key=lambda p: p.start)

    assert first.end == pytest.approx(3.0, abs=CLOSE)
    assert first.alone_s == pytest.approx(1.0, abs=CLOSE)
    assert second.alone_s == pytest.approx(0.5, abs=CLOSE)


def test_a_pause_parts_pieces() -> None:
    """Of the same person too."""
    assert len(listen([(1.0, 2.0, 0), (2.5, 3.5, 0)], 10.0)) == 2


def test_pieces_are_given_out_when_they_are_over() -> None:
    """Their audio is not kept for ever."""
    pieces = Pieces()
    talk = [(0.5, 1.5, 0)]

    assert len(pieces.push(0.0, activity(talk, 0.0, [0, 1, 2]), 0.0, EDGE_S + HOP_S)) == 1


@given(st.integers(0, 2**32 - 1))
def test_seats_are_aligned_from_window_to_window(seed: int) -> None:
    """Whatever order the model gives people in, a number is the same person a little later."""
    talk = [(0.5, 4.0, 0), (4.5, 9.0, 1), (9.5, 14.0, 0), (14.5, 19.0, 2), (19.5, 24.0, 1)]

    seat_of: dict[int, set[int]] = {}
    for piece in listen(talk, 25.0, seed):
        middle = (piece.start + piece.end) / 2
        (who,) = [who for start, end, who in talk if start <= middle < end]
        seat_of.setdefault(who, set()).add(piece.seat)

    assert all(len(seats) == 1 for seats in seat_of.values())


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 250), st.integers(5, 120), st.integers(0, 2)), max_size=12),
    st.integers(1, 300),
)
def test_all_speech_is_in_some_piece(drawn: list[tuple[int, int, int]], tenths: int) -> None:
    """In seats as in time: no second is lost or made up, but for the sixteenth at the end."""
    length_s = tenths / 10
    talk = [(start / 10, (start + length) / 10, who) for start, length, who in drawn]

    pieces = listen(talk, length_s)

    times = np.arange(0.05, length_s - 0.1, 0.1)
    for who in range(SEATS):
        spoken = np.zeros(len(times), np.bool_)
        sure = np.ones(len(times), np.bool_)
        for start, end, _ in [each for each in talk if each[2] == who]:
            spoken |= (times >= start) & (times < end)
            sure &= (abs(times - start) > CLOSE) & (abs(times - end) > CLOSE)
        covered = np.zeros(len(times), np.bool_)
        for piece in pieces:
            if piece.seat == who:
                covered |= (times >= piece.start) & (times < piece.end)
        assert np.array_equal(covered[sure], spoken[sure])
