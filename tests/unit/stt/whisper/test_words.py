"""Words out of a tokenizer's pieces."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.whisper.words import words

PIECES = st.lists(
    st.tuples(
        st.sampled_from(
            [" a", "b", ",", " ", ".", " 5", "%", "語", "\ufffd", " \ufffd", "", "。"]
        ),
        st.lists(st.integers(0, 9), min_size=1, max_size=3),
    )
)


def said(*pieces: str, spaced: bool = True) -> list[tuple[str, bool]]:
    """Return the words of pieces, and which of them go on with the one before."""
    found = words([(piece, [i]) for i, piece in enumerate(pieces)], spaced=spaced)
    return [(word.text, word.joined) for word in found]


def test_words_begin_with_a_space() -> None:
    """Endings and punctuation belong to the word before; an opening quote to the one after."""
    assert said(" Hel", "lo", ",", ' "', "you", '"', " 50", "%") == [
        ("Hello,", False),
        ('"you"', False),
        ("50%", False),
    ]


def test_what_goes_on_with_words_given_out_before_is_joined() -> None:
    """As when the comma comes with the next pass."""
    assert said(",", " you") == [(",", True), ("you", False)]


def test_languages_without_spaces() -> None:
    """Each letter is a word, joined to the one before; punctuation belongs to the letter."""
    assert said("今", "日", "。", "は", spaced=False) == [
        ("今", True),
        ("日。", True),
        ("は", True),
    ]


@given(PIECES, st.booleans())
def test_no_token_is_lost_or_moved(pieces: list[tuple[str, list[int]]], spaced: bool) -> None:
    """The tokens of the words, in a row, are the pieces' ones, but for those without letters."""
    found = words(pieces, spaced=spaced)

    tokens = [token for _, group in pieces for token in group]
    kept = [token for word in found for token in word.tokens]
    assert tokens[: len(kept)] == kept
    assert all(word.text and word.text == word.text.strip() for word in found)
    assert not any("\ufffd" in word.text for word in found)
