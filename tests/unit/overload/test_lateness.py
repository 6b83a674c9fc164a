"""Tests of `livebot.overload.lateness`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.overload.lateness import SHARE, WINDOW_S, Lateness

EVERY_S = 0.02

lags = st.lists(st.floats(0, 3), max_size=80)


def after(reports: list[float]) -> tuple[Lateness, float]:
    """Return the figure's keeper after such reports, each as late as it says, and the time."""
    found, now = Lateness(), 0.0
    for lag in reports:
        now += EVERY_S + lag
        found.observe(lag, now)
    return found, now


def test_a_loop_that_is_always_late() -> None:
    """It is as late as it says, soon after it began to be."""
    found, now = after([0.0] * 400 + [0.2] * 6)

    assert found.recent_s(now) == 0.2


def test_hiccups_do_not_count() -> None:
    """Stalls that make up less than a tenth of the time are forgiven."""
    found, now = after(([0.0] * 200 + [0.3]) * 3)

    assert found.recent_s(now) == 0.0


def test_one_long_stall_counts_until_it_is_past() -> None:
    """Who blocks the loop for seconds is seen, and forgotten when the window is over."""
    found, now = after([0.0] * 400 + [3.0])

    assert found.recent_s(now) == 3.0
    assert found.recent_s(now + WINDOW_S) == 0.0


@given(lags)
def test_at_least_a_tenth_of_the_window_was_as_late(reports: list[float]) -> None:
    """The figure is one that was reported, and the loop had it long enough."""
    found, now = after(reports)

    figure = found.recent_s(now)

    if figure:
        assert figure in reports
        late = sum(EVERY_S + lag for lag in reports if lag >= figure)
        assert late >= WINDOW_S * SHARE * (1 - 1e-9)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), max_size=80))
def test_more_lag_never_lowers_it(pairs: list[tuple[float, float]]) -> None:
    """It is monotone: at the same times, later reports give no smaller figure."""
    one, other = Lateness(), Lateness()
    now = 0.0
    for lag, more in pairs:
        now += EVERY_S + lag + more
        one.observe(lag, now)
        other.observe(lag + more, now)
        assert other.recent_s(now) >= one.recent_s(now)


def test_it_keeps_no_more_than_the_window() -> None:
    """A loop that reports for hours costs no more memory than one that did for a second."""
    found, now = after([0.0] * 5000)

    found.recent_s(now)

    assert len(found._reports) == pytest.approx(WINDOW_S / EVERY_S, abs=1)
