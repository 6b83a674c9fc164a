"""When words begin."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from livebot.stt.whisper import timing

LOUD = arrays(np.float32, st.integers(0, 300), elements=st.floats(-1.5, 2, width=32))


@given(
    st.lists(st.floats(0, 30)),
    LOUD,
    st.floats(0, 30),
    st.floats(0, 30),
)
def test_starts_never_decrease(
    begun: list[float], loud: npt.NDArray[np.float32], after_s: float, until_s: float
) -> None:
    """Nor are they before what was given out, nor after the end, whatever the decoder saw."""
    found = timing.starts(sorted(begun), loud, after_s=after_s, until_s=until_s)

    assert len(found) == len(begun)
    assert found == sorted(found)
    assert all(after_s <= start <= max(after_s, until_s) for start in found)


def sound(*loud: tuple[float, float], total_s: float = 3) -> npt.NDArray[np.float32]:
    """Return silence with loud stretches in it."""
    out = np.full(round(total_s * 100), -1.0, np.float32)
    for start, end in loud:
        out[round(start * 100) : round(end * 100)] = 1
    return out


def test_the_gap_before_a_word_is_no_part_of_it() -> None:
    """The decoder looks for a word as soon as the one before is over, or a little earlier."""
    loud = sound((0.3, 0.6), (1.0, 1.5), (2.0, 2.2))

    found = timing.starts([0.0, 0.57, 1.5], loud, after_s=0, until_s=3)

    assert np.allclose(found, [0.3, 1.0, 2.0])


def test_a_gap_inside_a_word_is_part_of_it() -> None:
    """The t of a word is silent for a moment."""
    loud = sound((0.3, 0.6), (0.65, 0.9))

    assert timing.starts([0.3], loud, after_s=0, until_s=3) == [0.3]


def test_where_nothing_is_loud_the_decoder_is_right() -> None:
    """There is nothing better to go by."""
    assert timing.starts([0.5, 1], sound(), after_s=0, until_s=3) == [0.5, 1]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99))), st.integers(0, 12))
def test_every_token_has_a_frame(path: list[tuple[int, int]], tokens: int) -> None:
    """Also those that the path does not reach; and along a path they never decrease."""
    rising = list(zip(sorted(t for t, _ in path), sorted(f for _, f in path), strict=True))

    assert len(timing.first_frames(path, tokens)) == tokens
    if [t for t, _ in rising] and {t for t, _ in rising} >= set(range(rising[-1][0])):
        found = timing.first_frames(rising, tokens)
        assert found == sorted(found)
