"""Where subtitles are cut."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given

from livebot.transcripts.cutting import LINE, Cutter
from livebot.transcripts.model import Utterance
from livebot.transcripts.pieces import Piece, pieces, width
from tests.support.transcripts import says, some, utterances


def lines_of(said: Utterance) -> list[list[str]]:
    """Return each cue's lines as text."""
    found = Cutter(pieces(said.words, "en", most=LINE)).cues()
    return [[" ".join(piece.text for piece in line) for line in cue] for cue in found]


@some
@given(utterances())
def test_every_piece_is_in_one_cue_of_one_or_two_lines(said: Utterance) -> None:
    """In order, and no line is wider than it should be."""
    parts = pieces(said.words, said.language, most=LINE)

    found = Cutter(parts).cues()

    assert [piece for cue in found for line in cue for piece in line] == parts
    for cue in found:
        assert len(cue) in {1, 2}
        assert all(line and wide(line) <= LINE for line in cue)


def wide(line: Sequence[Piece]) -> int:
    """Return a line's columns."""
    return sum(width(piece.text) + (piece.spaced and at > 0) for at, piece in enumerate(line))


def test_cues_end_with_sentences_where_they_can() -> None:
    """Then at commas; lines of a cue are about as long as each other."""
    text = (
        "And so, my fellow Americans, ask not what your country can do for you. "
        "It was the best of times, it was the worst of times."
    )
    assert lines_of(says(*text.split(), each_s=0.3)) == [
        ["And so, my fellow Americans,", "ask not what your country can do for you."],
        ["It was the best of times,", "it was the worst of times."],
    ]


def test_without_marks_pauses_are_where_to_cut() -> None:
    """A breath is better than none."""
    words = ["word"] * 20
    first, second = says(*words[:9], each_s=0.3), says(*words[9:], each_s=0.3, begin=3.2)
    cues = Cutter(pieces([*first.words, *second.words], "en", most=LINE)).cues()
    assert [sum(map(len, cue)) for cue in cues] == [9, 11]


def test_words_after_a_long_pause_are_not_shown_before_it() -> None:
    """However few they are."""
    first, second = says("Well,", "yes."), says("And", "no.", begin=5)
    assert len(Cutter(pieces([*first.words, *second.words], "en", most=LINE)).cues()) == 2


def test_slow_speech_makes_short_cues() -> None:
    """Nothing is shown for much longer than people look at it."""
    parts = pieces(says(*["slowly"] * 12, each_s=2).words, "en", most=LINE)
    for cue in Cutter(parts).cues():
        assert cue[-1][-1].end - cue[0][0].start <= 8


@pytest.mark.parametrize("count", [84, 85])
def test_lines_without_spaces_are_no_wider_than_others(count: int) -> None:
    """A second line that begins without a space has no column more."""
    parts = [Piece("ก", 0.1 * at, 0.1 * (at + 1), spaced=False) for at in range(count)]
    cues = Cutter(parts).cues()
    assert all(wide(line) <= LINE for cue in cues for line in cue)
    assert sum(len(line) for cue in cues for line in cue) == count


@pytest.mark.parametrize("count", [0, 1])
def test_little_is_no_trouble(count: int) -> None:
    """Nothing gives nothing."""
    parts = [Piece("a", 0, 1, spaced=True)] * count
    assert len(Cutter(parts).cues()) == count


def test_an_hour_without_a_pause_is_cut_in_no_time() -> None:
    """What it costs grows with the text and not faster; this one takes well under a second."""
    parts = pieces(says(*["and"] * 10_000, each_s=0.3).words, "en", most=LINE)
    cues = Cutter(parts).cues()
    assert all(b[0][0].start >= a[-1][-1].end for a, b in pairwise(cues))
