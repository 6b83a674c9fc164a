"""The yardstick itself."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.wer import total, wer

WORDS = st.lists(st.sampled_from(["quick", "brown", "fox", "jumps", "lazy", "dog"]), max_size=8)


@given(WORDS)
def test_same_words_are_no_error(words: list[str]) -> None:
    """Case and punctuation do not count."""
    found = wer(" ".join(words), ", ".join(words).upper() + "!")

    assert (found.wrong, found.words, found.diff) == (0, len(words), "")


@given(WORDS, WORDS)
def test_missing_and_additional_words_count_one_each(words: list[str], more: list[str]) -> None:
    """Words that were not said are errors, and so are those that were not understood."""
    added = wer(" ".join(words), " ".join(words + more))
    lost = wer(" ".join(words + more), " ".join(words))

    assert added.wrong == lost.wrong == len(more)
    assert added.words == len(words)
    assert lost.words == len(words + more)


def test_differences_are_shown_side_by_side() -> None:
    """A reader of the output sees what was understood instead."""
    found = wer("ask not what your country", "ask what your county")

    assert found.diff == "[not -> ] [country -> county]"
    assert found.rate == 2 / 5


def test_several_add_up_by_words() -> None:
    """A long recording weighs more than a short one."""
    found = total([wer("the lazy brown fox", "the lazy brown fox"), wer("dog", "bog")])

    assert (found.wrong, found.words) == (1, 5)
