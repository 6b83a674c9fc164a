"""The vocabulary's file, words from tokens, loops."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import EngineError
from livebot.stt.local.tokens import Vocabulary, loop_length

PIECES = [b"<unk>", b"<s>", b"</s>", b"\xc3", b"\xa9", "▁so".encode(), b"me", b",", "▁".encode()]


def write(pieces: Sequence[bytes]) -> bytes:
    """Write the file."""
    out = b""
    for piece in pieces:
        size = len(piece)
        head = bytes([size]) if size < 128 else bytes([size % 128 + 128, size // 128])
        out += head + piece
    return out


def test_words_begin_at_spaces() -> None:
    """Pieces without a space belong to the word before, punctuation too."""
    found = Vocabulary(write(PIECES)).words([5, 6, 7, 5])

    assert [(word.text, word.tokens) for word in found] == [("some,", (5, 6, 7)), ("so", (5,))]


def test_a_comma_that_is_written_twice_is_one() -> None:
    """The tokens stay as they were, for the next pass; an ellipsis is no mistake."""
    pieces = [b"\0", b"<s>", b"</s>", "\u2581".encode() + b"short", b",", b"...", b"."]
    comma, ellipsis = Vocabulary(write(pieces)).words([3, 4, 4, 3, 5])

    assert (comma.text, comma.tokens) == ("short,", (3, 4, 4))
    assert ellipsis.text == "short..."


def test_letters_of_several_bytes_and_bare_spaces() -> None:
    """Bytes are joined before they are decoded, and a bare space begins the word after it."""
    found = Vocabulary(write(PIECES)).words([8, 3, 4, 8, 5])

    assert [(word.text, word.tokens) for word in found] == [("é", (8, 3, 4)), ("so", (8, 5))]


@given(st.lists(st.binary(max_size=400), min_size=3, max_size=50))
def test_any_vocabulary_can_be_read(pieces: list[bytes]) -> None:
    """Lengths of one and of two bytes."""
    assert len(Vocabulary(write(pieces))) == len(pieces)


@pytest.mark.parametrize("data", [b"", b"\x05abc", b"\x01a\x01b"], ids=["empty", "cut", "small"])
def test_another_file_is_refused(data: bytes) -> None:
    """With an error of ours."""
    with pytest.raises(EngineError, match="vocabulary"):
        Vocabulary(data)


@given(
    st.lists(st.integers(0, 3), max_size=10), st.lists(st.integers(4, 9), min_size=1, max_size=8)
)
def test_loops_are_noticed(before: list[int], turn: list[int]) -> None:
    """Five times the same is a loop, of which one turn is kept."""
    kept = before + turn * 5
    length = loop_length(kept)

    assert length > 0
    assert kept[: len(kept) - length][: len(before) + 1] == before + turn[:1]


def test_people_repeat_themselves() -> None:
    """Four times is not a loop yet."""
    assert loop_length([7, 7, 7, 7]) == 0
    assert loop_length([1, 2, 1, 2, 1, 2, 1, 2]) == 0
