"""The search for the beginnings of words."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.local.timing import LETTER_S, STEP_FRAMES, find_starts, spread


@given(st.lists(st.integers(1, 399), min_size=1, max_size=12).map(sorted))
def test_words_are_found_where_they_begin(starts: list[int]) -> None:
    """To the precision promised, in order, and with few questions."""
    asked = []

    def odds(count: int, first: int, after: int) -> npt.NDArray[np.float32]:
        asked.append(after - first)
        return np.where(np.array(starts[first:after]) <= count, -0.1, -9.0).astype(np.float32)

    found = find_starts(odds, words=len(starts), first=0, total=400)

    assert found == sorted(found)
    assert all(abs(f - s) <= STEP_FRAMES for f, s in zip(found, starts, strict=True))
    assert min(asked) > 0
    assert sum(asked) <= 9 * len(starts)


@given(st.integers(-5, 60), st.lists(st.floats(-20, 0, width=32), min_size=1, max_size=6))
def test_a_model_that_makes_no_sense_still_gets_an_answer(first: int, levels: list[float]) -> None:
    """Words that need no audio at all lie where they may begin at the earliest."""
    found = find_starts(
        lambda _, begin, after: np.array(levels[begin:after], np.float32),
        words=len(levels),
        first=first,
        total=50,
    )

    assert all(1 <= frame <= 50 for frame in found)
    assert found == sorted(found)


def test_guessed_words_lie_before_the_next_heard_one() -> None:
    """Words found where the search began move to the word after them; others stay."""
    found = spread([2.0, 2.0, 2.0, 4.0, 5.0], [2, 3, 3, 5, 5], after_s=2.0, step_s=0.1)

    assert found[3:] == [4.0, 5.0]
    assert found[:3] == pytest.approx([4.0 - 8 * LETTER_S, 4.0 - 6 * LETTER_S, 4.0 - 3 * LETTER_S])


@given(
    st.lists(st.tuples(st.floats(1, 20), st.integers(1, 20)), max_size=10),
    st.floats(0, 1),
)
def test_spreading_keeps_the_order(words: list[tuple[float, int]], step_s: float) -> None:
    """No word moves back, and none passes another."""
    starts = sorted(start for start, _ in words)

    found = spread(starts, [letters for _, letters in words], after_s=1.0, step_s=step_s)

    assert found == sorted(found)
    assert all(new >= old for new, old in zip(found, starts, strict=True))
