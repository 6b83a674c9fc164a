"""Tests of `livebot.backoff`."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.backoff import Backoff


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=2000))
def test_delays_grow_within_their_bounds(chances: list[float]) -> None:
    """Each delay lies between half of the ideal one and all of it, and below the bound."""
    backoff = Backoff(first_s=0.5, most_s=30.0)

    for attempt, chance in enumerate(chances):
        ideal = min(30.0, 0.5 * 2.0 ** min(attempt, 100))
        assert ideal / 2 <= backoff.next_delay(chance) <= ideal


def test_reset_starts_over() -> None:
    """After success the first delay is the first again."""
    backoff = Backoff()
    first = backoff.next_delay(0.0)
    backoff.next_delay(0.0)

    backoff.reset()

    assert backoff.next_delay(0.0) == first
