"""The last word of a stream that was ended in the middle of speech."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.edge import Edge
from livebot.stt.engine import Word
from livebot.stt.lease import PAUSE_S

TEXTS = st.sampled_from(["so", "we", "went", ".", "…", "ing"])
WORDS = st.lists(st.builds(Word, TEXTS, joined=st.booleans()), max_size=12)


def timed(words: list[Word], gap_s: float) -> list[Word]:
    """Return the words with times: each takes a second, and the last ends `gap_s` before 100."""
    first = 100 - gap_s - len(words)
    return [Word(w.text, first + i, first + i + 1, w.joined) for i, w in enumerate(words)]


def goes_on(word: Word) -> bool:
    """Say whether a word belongs to the one before it."""
    return word.joined or word.text in ".…"


@given(WORDS)
def test_a_stream_that_was_not_cut_says_all_at_once(words: list[Word]) -> None:
    """Nothing is held back for a cut that may come."""
    edge = Edge()

    assert [edge.feed(word) for word in words] == [[word] for word in words]
    assert edge.finish() == []


@given(WORDS, WORDS, st.sampled_from([None, 0.0, -1.0, PAUSE_S / 2, PAUSE_S, 5.0]))
def test_what_is_held_back_is_the_last_word_and_whole(
    before: list[Word], after: list[Word], gap_s: float | None
) -> None:
    """And only what may have been cut; with it goes all that belongs to it."""
    words = [*before, *after]
    if gap_s is not None:
        words = timed(words, gap_s)
    edge, told = Edge(), []
    for word in words[: len(before)]:
        told += edge.feed(word)
    edge.cut(100)
    for word in words[len(before) :]:
        told += edge.feed(word)
    told += edge.finish()
    left = words[len(told) :]

    assert words[: len(told)] == told
    assert not any(goes_on(word) for word in left[1:]) or all(map(goes_on, left[1:]))
    assert not left or not goes_on(left[0])
    assert sum(not goes_on(word) for word in left) <= 1
    is_whole = gap_s is not None and gap_s >= PAUSE_S
    assert not (left and is_whole)
    assert left or is_whole or all(map(goes_on, words[len(before) :]))
