"""Delays between attempts."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.nextcloud.retry import delay_s


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_delays_are_bounded(attempt: int, chance: float) -> None:
    """No delay is longer than the longest, nor shorter than half of the first."""
    assert 0.5 <= delay_s(attempt, chance, first_s=1.0, most_s=60.0) <= 60.0


@given(st.integers(0, 40), st.floats(0, 1, exclude_max=True))
def test_delays_grow(attempt: int, chance: float) -> None:
    """With the same chance, the next delay is not shorter."""
    one = delay_s(attempt, chance, first_s=1.0, most_s=60.0)

    assert delay_s(attempt + 1, chance, first_s=1.0, most_s=60.0) >= one
