"""Tests of `livebot.hearing.unheard`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, silence
from livebot.audio.pipeline import Chunk
from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S
from livebot.hearing.unheard import LEAST_S, Unheard

CHUNK_S = 0.2


def chunk(number: int, *, loud: bool) -> Chunk:
    """Return the n-th 200 ms."""
    return Chunk(silence(round(CHUNK_S * RATE_HZ)) + 0.1 * loud, number * CHUNK_S)


@given(st.lists(st.booleans(), max_size=200))
def test_lost_speech_is_told_once_and_silence_never(louds: list[bool]) -> None:
    """The last report of a gap names all of its speech, and where it began and ended."""
    gaps: list[Gap] = []
    unheard = Unheard(gaps.append)
    for number, loud in enumerate(louds):
        unheard.lose(chunk(number, loud=loud))
    unheard.over()
    unheard.over()

    lost = [number for number, loud in enumerate(louds) if loud]
    if len(lost) * CHUNK_S < LEAST_S - 1e-9:
        assert gaps == []
        return
    *open_ones, last = gaps
    assert last.cause is Cause.ENGINE
    assert last.lost_s == pytest.approx(len(lost) * CHUNK_S)
    assert last.start == pytest.approx(lost[0] * CHUNK_S)
    assert last.end == pytest.approx((lost[-1] + 1) * CHUNK_S)
    assert [gap.end for gap in open_ones] == [None] * len(open_ones)
    assert {gap.start for gap in gaps} == {last.start}
    assert bool(open_ones) == (len(lost) * CHUNK_S >= NOTICE_S - 1e-9)


def test_another_loss_is_another_gap() -> None:
    """What was over is over."""
    gaps: list[Gap] = []
    unheard = Unheard(gaps.append)
    for number in (0, 1, 2):
        unheard.lose(chunk(number, loud=True))
    unheard.over()
    for number in (10, 11):
        unheard.lose(chunk(number, loud=True))
    unheard.over()

    assert [gap.lost_s for gap in gaps] == [pytest.approx(0.6), pytest.approx(0.4)]
