"""Tests of `livebot.overload.gate`."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from livebot.overload.gate import CALM_S, Gate

LIMIT, LOW = 100.0, 0.7

values = st.one_of(st.floats(0, 1000), st.sampled_from([LIMIT * LOW, LIMIT]))
series = st.lists(st.tuples(st.floats(0.1, 20), values), max_size=60)
"""Seconds since the value before, and the value."""


def states(steps: list[tuple[float, float]]) -> list[tuple[float, bool]]:
    """Return when the gate was asked, and whether it was shut."""
    gate, now, found = Gate(LIMIT, low=LOW), 0.0, []
    for wait, value in steps:
        now += wait
        gate.observe(value, now)
        found.append((now, gate.is_shut))
    return found


def test_shuts_at_once_and_tells_the_worst() -> None:
    """One value above the limit is enough; what is told is the highest since."""
    gate = Gate(LIMIT, low=LOW)

    told = []
    for now, value in enumerate([LIMIT, 101, 180, 120]):
        gate.observe(value, now)
        told.append(gate.worst)

    assert told == [None, 101, 180, 180]


def test_opens_after_a_calm_time_only() -> None:
    """A value between low and the limit keeps it shut; low ones open it when it is time."""
    steps = [(0.0, 101.0), (CALM_S, 71.0), (CALM_S - 0.01, 70.0), (0.02, 70.0)]

    assert [shut for _, shut in states(steps)] == [True, True, True, False]


@given(series)
def test_never_shuts_twice_within_the_calm_time(steps: list[tuple[float, float]]) -> None:
    """However the values jump, nobody sees it flap."""
    before = False
    shut_at: list[float] = []
    for now, shut in states(steps):
        if shut and not before:
            shut_at.append(now)
        before = shut

    assert all(b - a >= CALM_S for a, b in itertools.pairwise(shut_at))


@given(series)
def test_above_the_limit_it_is_shut(steps: list[tuple[float, float]]) -> None:
    """Nothing that came before lets a value above the limit through."""
    for (_, value), (_, shut) in zip(steps, states(steps), strict=True):
        assert shut or value <= LIMIT


@given(series, st.data())
def test_higher_values_never_open_it_earlier(
    steps: list[tuple[float, float]], data: st.DataObject
) -> None:
    """It is monotone: where the lower series is refused, so is the higher."""
    higher = [(wait, value + data.draw(st.floats(0, 200))) for wait, value in steps]

    for (_, low), (_, high) in zip(states(steps), states(higher), strict=True):
        assert high >= low
