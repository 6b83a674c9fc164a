"""Tests of `livebot.rooms.token_bucket`."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.rooms.token_bucket import TokenBucket


@given(st.lists(st.floats(0, 5), max_size=200), st.integers(1, 10), st.floats(0.01, 5))
def test_no_more_than_the_burst_and_the_rate(waits: list[float], size: int, per_s: float) -> None:
    """In any stretch of time at most `size` plus what it refills."""
    bucket, now, taken = TokenBucket(size, per_s), 0.0, list[float]()
    for wait in waits:
        now += wait
        if bucket.take(now):
            taken.append(now)

    for first, begin in enumerate(taken):
        for last in range(first, len(taken)):
            count = last - first + 1
            assert count <= size + (taken[last] - begin) * per_s + 1e-6


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    """Nor is a burst as large as the bucket."""
    bucket = TokenBucket(3, 0.5)

    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert all(bucket.take(2.0 * number) for number in range(1, 100))
