"""Tests of `tests.support.trend`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trend import trend

FIGURES = st.floats(-1e4, 1e4)
STEPS = st.lists(st.floats(0.1, 100), min_size=3, max_size=30)


@given(steps=STEPS, at_zero=FIGURES, slope=FIGURES)
def test_points_on_a_line_give_the_line(steps: list[float], at_zero: float, slope: float) -> None:
    """Its slope is found whatever the times are, and there is no doubt about it."""
    times = [sum(steps[:i]) for i in range(len(steps))]

    found = trend(times, [at_zero + slope * t for t in times])

    assert found.slope == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert found.error == pytest.approx(0, abs=1e-4)


def test_noise_is_no_slope() -> None:
    """What goes up and down by turns has a slope smaller than its error allows."""
    found = trend(range(20), [5.0, 7.0] * 10)

    assert found.mean == 6.0
    assert abs(found.slope) <= 2 * found.error


def test_neighbours_that_are_alike_tell_less() -> None:
    """The same deviations are surer by turns than in a row."""
    by_turns, in_a_row = [0.0, 1.0] * 10, [0.0] * 5 + [1.0] * 10 + [0.0] * 5

    assert trend(range(20), in_a_row).error > 2 * trend(range(20), by_turns).error


@pytest.mark.parametrize("times", [[], [1.0, 2.0], [3.0, 3.0, 3.0]])
def test_too_little_to_tell(times: list[float]) -> None:
    """There is no line through fewer than three values of different times."""
    with pytest.raises(ValueError, match="three values"):
        trend(times, times)
