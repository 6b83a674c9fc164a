"""Pieces that stay on one line."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.model import Utterance
from livebot.transcripts.pieces import clean, pieces, width
from tests.support.transcripts import some, utterances


def text(found: list[str], spaced: list[bool]) -> str:
    """Return pieces as running text."""
    return "".join(
        f" {each}" if space and number else each
        for number, (each, space) in enumerate(zip(found, spaced, strict=True))
    )


@some
@given(utterances(), st.integers(2, 50))
def test_nothing_is_lost_and_nothing_is_wide(said: Utterance, most: int) -> None:
    """Pieces are the text, each narrow enough, with times that never go backwards."""
    found = pieces(said.words, said.language, most=most)

    joined = text([each.text for each in found], [each.spaced for each in found])
    assert "".join(joined.split()) == "".join(clean(said.text).split())
    if all(clean(word.text) for word in said.words):
        assert joined == clean(said.text)
    assert all(each.width <= most for each in found)
    assert not any(set(" \n\t") & set(each.text) for each in found)
    times = [at for each in found for at in (each.start, each.end)]
    assert times == sorted(times)


def test_words_that_belong_together_stay_together() -> None:
    """An ending, a comma and a bracket are not parted from their word; ideographs may be."""
    words = [
        Word("It", 0, 1),
        Word("'s", 1, 2, joined=True),
        Word("好", 2, 3),
        Word("的", 3, 4, joined=True),
        Word("。", 4, 5, joined=True),
        Word("「", 5, 6, joined=True),
        Word("是", 6, 7, joined=True),
    ]
    found = pieces(words, "zh", most=42)
    assert [each.text for each in found] == ["It's", "好", "的。", "「是"]
    assert [(each.start, each.end) for each in found] == [(0, 2), (2, 3), (3, 5), (5, 7)]


def test_what_is_wider_than_a_line_is_cut_by_its_length_in_time() -> None:
    """Ideographs count two columns."""
    found = pieces([Word("国" * 30, 10, 13)], "zh", most=42)
    assert [(len(each.text), each.start, each.end) for each in found] == [
        (21, 10, 12.1),
        (9, 12.1, 13),
    ]


def test_missing_times_are_those_of_the_word_before() -> None:
    """Nobody need look for None."""
    found = pieces([Word("a", 1, 2), Word("b"), Word("c", 0.5, 3)], "en", most=42)
    assert [(each.start, each.end) for each in found] == [(1, 2), (2, 2), (2, 3)]


def test_width() -> None:
    """Accents take no column, ideographs two."""
    assert [width(text) for text in ("abc", "e\u0301", "国", "ก็")] == [3, 1, 2, 1]
