"""Tests of `livebot.stt.continuation`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.continuation import Continuation, Told, recent
from livebot.stt.engine import Word

WORD_S = 0.4

SAYS = st.lists(st.sampled_from(list("abcdefghijkl")), min_size=1, max_size=30)


def timed(texts: list[str], *, late_s: float = 0.0) -> list[Word]:
    """Return words of `WORD_S` each, one after the other."""
    return [
        Word(text, n * WORD_S + late_s, (n + 1) * WORD_S + late_s) for n, text in enumerate(texts)
    ]


def untimed(texts: list[str]) -> list[Word]:
    """Return words of an engine that tells no times."""
    return [Word(text) for text in texts]


def passed(continuation: Continuation, words: list[Word]) -> list[str]:
    """Return what gets through of `words`, to the end of the stream."""
    through = [new for word in words for new in continuation.feed(word)]
    return [word.text for word in through + continuation.flush()]


@given(SAYS, st.data(), st.floats(-0.15, 0.15))
def test_with_times_every_word_is_shown_once(
    texts: list[str], data: st.DataObject, late_s: float
) -> None:
    """Wherever the stream broke, and however differently the next one times the words."""
    told = data.draw(st.integers(0, len(texts)))
    begin = data.draw(st.integers(0, told))
    again = timed(texts, late_s=late_s)[begin:]

    assert passed(Continuation(timed(texts)[begin:told]), again) == texts[told:]


@given(st.permutations([f"word{n}" for n in range(30)]), st.data())
def test_without_times_words_are_known_by_their_neighbours(
    texts: list[str], data: st.DataObject
) -> None:
    """Where no three words come twice, every word is shown once."""
    told = data.draw(st.integers(1, len(texts)))
    begin = data.draw(st.integers(max(0, told - 20), told - 1))

    again = untimed(texts)[begin:]
    assert passed(Continuation(untimed(texts)[begin:told]), again) == texts[told:]


@given(SAYS, SAYS, st.booleans())
def test_never_is_a_new_word_lost_behind_unknown_ones(
    told: list[str], new: list[str], is_timed: bool
) -> None:
    """When what comes was not told at all, all of it is shown."""
    words = [text.upper() + "x" for text in new]
    if is_timed:
        again = timed(words, late_s=len(told) * WORD_S)
        assert passed(Continuation(timed(told)), again) == words
    else:
        assert passed(Continuation(untimed(told)), untimed(words)) == words


def test_a_word_that_was_told_as_it_began_is_not_told_again() -> None:
    """Timed a little later by the second stream, it is still the same word."""
    told = [Word("ask", 1.0, 1.2)]

    again = [Word("ask.", 1.08, 1.5), Word("not", 1.5, 1.8)]
    assert passed(Continuation(told), again) == ["not"]


def test_case_and_punctuation_make_no_difference() -> None:
    """The second stream writes what it hears in another context."""
    continuation = Continuation(untimed(["fellow", "Americans,", "ask"]))

    assert passed(continuation, untimed(["Fellow", "americans", "Ask", "not"])) == ["not"]


def test_words_wait_no_longer_than_what_was_told() -> None:
    """Where the second stream hears something else, it is shown soon."""
    continuation = Continuation(untimed(["one", "two", "three"]))
    words = untimed(["four", "five", "six", "seven", "eight", "nine"])
    shown = [len(continuation.feed(word)) for word in words]

    assert shown == [0, 0, 0, 0, 0, 6]
    assert continuation.is_over


@pytest.mark.parametrize(("since", "expected"), [(0.0, 3), (0.5, 2), (1.3, 0)])
def test_only_words_of_the_audio_that_is_sent_again_count(since: float, expected: int) -> None:
    """What was said before it cannot come again."""
    told = [Told(word, word.end or 0.0) for word in timed(["one", "two", "three"])]

    assert len(recent(told, since)) == expected
