"""From the times in a file to the time a player shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.recordings.clock import MAX_SILENCE_S, TOLERANCE_S, Clock

LENGTHS = st.floats(0.01, 2.0)
GAPS = st.floats(TOLERANCE_S + 0.01, 60.0)
TREMBLES = st.floats(-0.9 * TOLERANCE_S, 0.9 * TOLERANCE_S)


@given(st.lists(LENGTHS, max_size=50), st.floats(-1.0, 100.0))
def test_what_follows_at_once_has_no_gap(lengths: list[float], origin_s: float) -> None:
    """Whatever the file's own times begin with."""
    clock = Clock(origin_s)

    for length_s in lengths:
        assert clock.gap(origin_s + clock.position_s) == 0.0
        clock.passed(length_s)

    assert clock.position_s == pytest.approx(sum(lengths))


@given(st.lists(st.tuples(GAPS, LENGTHS), max_size=50))
def test_gaps_become_silence(pieces: list[tuple[float, float]]) -> None:
    """Each piece begins at the file's own time."""
    clock, time_s = Clock(), 0.0

    for gap_s, length_s in pieces:
        time_s += gap_s
        assert clock.gap(time_s) == pytest.approx(gap_s)
        assert clock.position_s == pytest.approx(time_s)
        clock.passed(length_s)
        time_s += length_s


@given(st.lists(TREMBLES, min_size=1, max_size=50), GAPS)
def test_trembling_times_add_up_to_nothing(trembles: list[float], gap_s: float) -> None:
    """They make no gap, and the next gap leads to where it should."""
    clock = Clock()
    clock.gap(0.0)
    clock.passed(1.0)

    for tremble_s in trembles:
        assert clock.gap(clock.position_s + tremble_s) == 0.0
        clock.passed(1.0)
    time_s = clock.position_s + gap_s
    clock.gap(time_s)

    assert clock.position_s == pytest.approx(time_s)


def test_what_was_lost_counts_however_short() -> None:
    """One packet of AAC or MP3 is less than times may tremble."""
    clock = Clock()
    clock.gap(0.0)
    clock.passed(1.0)

    assert clock.gap(1.023, lost=True) == pytest.approx(0.023)


def test_the_first_times_may_be_a_little_off() -> None:
    """What an encoder puts before the first sample moves nothing that follows."""
    clock = Clock()
    clock.gap(0.025)
    clock.passed(1.0)

    assert clock.gap(1.12) == 0.0


@pytest.mark.parametrize("back_to_s", [0.0, 50.0])
def test_another_recording_appended_follows_at_once(back_to_s: float) -> None:
    """And gaps in it count as in the first."""
    clock = Clock()
    clock.gap(0.0)
    clock.passed(100.0)

    assert clock.gap(back_to_s) == 0.0
    clock.passed(1.0)

    assert clock.gap(back_to_s + 3.0) == pytest.approx(2.0)


@given(st.lists(st.floats(0.0, 1e9), max_size=50))
def test_silence_has_an_end(times: list[float]) -> None:
    """Whatever a file claims."""
    clock = Clock()

    total_s = sum(clock.gap(time_s) for time_s in times)

    assert total_s <= MAX_SILENCE_S


def test_no_gap_leads_beyond_the_end() -> None:
    """A time that the length of the file says is impossible is a damaged one."""
    clock = Clock(end_s=60.0)
    clock.gap(0.0)
    clock.passed(10.0)

    assert clock.gap(3600.0) == 0.0
    clock.passed(1.0)

    assert clock.gap(3603.0) == pytest.approx(2.0)
