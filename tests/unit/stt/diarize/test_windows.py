"""A recording as windows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.stt.diarize.windows import HOP, HOP_S, RATE_HZ, WINDOW, Window, windows


def ramp(count: int) -> Samples:
    """Return samples that are all different."""
    return np.arange(1, count + 1, dtype=np.float32)


def cut(samples: Samples, blocks: list[int]) -> list[Window]:
    """Cut a recording that comes in blocks."""
    return list(windows(np.split(samples, np.cumsum(blocks))))


lengths = st.integers(0, 5 * WINDOW)
blocks = st.lists(st.integers(0, 30_000), max_size=20)


@given(lengths, blocks)
def test_the_parts_that_count_are_the_whole_recording(count: int, sizes: list[int]) -> None:
    """They follow each other without gaps, from its first to its last sample."""
    cuts = cut(ramp(count), sizes)

    spans = [(each.at_s + each.from_s, each.at_s + each.to_s) for each in cuts]
    assert [start for start, _ in spans] == [0.0, *(end for _, end in spans)][: len(spans)]
    assert not count or round(spans[-1][1] * RATE_HZ) == count
    assert bool(spans) == bool(count)


@given(lengths, blocks)
def test_each_window_is_where_it_says(count: int, sizes: list[int]) -> None:
    """Its samples are those of the recording, then silence."""
    whole = np.concatenate([ramp(count), np.zeros(WINDOW, np.float32)])

    for number, each in enumerate(cut(ramp(count), sizes)):
        assert each.at_s == number * HOP_S
        at = number * HOP
        assert np.array_equal(each.samples, whole[at : at + WINDOW])


@given(lengths)
def test_what_counts_has_been_heard_from_both_sides(count: int) -> None:
    """Except at the beginning and the end of the recording."""
    cuts = cut(ramp(count), [])

    assert all(each.from_s > HOP_S for each in cuts[1:])
    assert all(each.to_s < WINDOW / RATE_HZ - HOP_S for each in cuts[:-1])
