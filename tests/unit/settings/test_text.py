"""Texts with a structure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.settings.problems import SettingError
from livebot.settings.text import json_value, words

WORDS = st.lists(st.text("abc.:/-", min_size=1, max_size=9), max_size=5)


@given(WORDS)
def test_words_are_the_same_in_every_form(given_words: list[str]) -> None:
    """With commas, as a list, and as JSON."""
    assert words(",".join(given_words)) == given_words
    assert words(given_words) == given_words
    assert words(json.dumps(given_words)) == given_words


@pytest.mark.parametrize("text", ["[", "[" * 100_000, '{"a": hunter2}', "[" + "1" * 5000 + "]"])
def test_what_is_no_json(text: str) -> None:
    """However deep or long, it is told without being quoted."""
    with pytest.raises(SettingError, match=r"^is not JSON$"):
        json_value(text)
