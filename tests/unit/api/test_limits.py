"""How often somebody may ask, and be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api.callers import Caller
from livebot.api.limits import FAILURES_PER_MINUTE, MOST_ADDRESSES, FailureLimits, RequestLimits
from livebot.errors import QuotaError

OPS, WEB = Caller("ops", None), Caller("web", None)
GAPS = st.lists(st.floats(0, 30), min_size=1, max_size=100)


def passes(limits: RequestLimits | FailureLimits, whose: Caller | str | None, now: float) -> bool:
    """Say whether one more is taken."""
    try:
        limits.count(whose, now)  # type: ignore[arg-type]
    except QuotaError:
        return False
    return True


@given(most=st.integers(1, 20), gaps=GAPS)
def test_never_more_than_the_share(most: int, gaps: list[float]) -> None:
    """In no time more pass than at once and per minute. Spec: access/Requests per minute."""
    limits = RequestLimits(lambda _: most)
    now, passed = 0.0, []
    for gap in gaps:
        now += gap
        if passes(limits, OPS, now):
            passed.append(now)

    for first, begin in enumerate(passed):
        for last, end in enumerate(passed[first:], start=first):
            assert last - first + 1 <= most + (end - begin) * most / 60 + 1e-6


@given(most=st.integers(1, 20))
def test_who_waits_as_told_is_served(most: int) -> None:
    """`Retry-After` is long enough. Spec: access/Requests per minute."""
    limits = RequestLimits(lambda _: most)
    for _ in range(most):
        limits.count(OPS, 0.0)
    with pytest.raises(QuotaError) as refused:
        limits.count(OPS, 0.0)

    assert passes(limits, OPS, refused.value.retry_in_s + 1e-6)


def test_shares_are_of_one_caller() -> None:
    """Keys of one name in two backends are two; 0 is any number."""
    limits = RequestLimits({OPS: 1, Caller("ops", "a"): 1, WEB: 0}.__getitem__)

    assert passes(limits, OPS, 0.0)
    assert not passes(limits, OPS, 0.0)
    assert passes(limits, Caller("ops", "a"), 0.0)
    assert all(passes(limits, WEB, 0.0) for _ in range(1000))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        (None, "", True),
    ],
)
def test_whose_failures(first: str | None, second: str | None, *, same: bool) -> None:
    """An IPv6 caller has a /64; a unix socket has no address. Spec: access/Guessing."""
    limits = FailureLimits()
    for _ in range(FAILURES_PER_MINUTE):
        assert passes(limits, first, 0.0)

    assert not passes(limits, first, 0.0)
    assert passes(limits, second, 0.0) != same
    assert passes(limits, first, 1.1)


def test_the_memory_is_bounded() -> None:
    """The address that was quiet longest is forgotten, not the one that goes on."""
    limits = FailureLimits()
    for _ in range(FAILURES_PER_MINUTE + 1):
        passes(limits, "192.0.2.1", 0.0)
    for number in range(2 * MOST_ADDRESSES):
        passes(limits, f"host{number}", 0.0)
        if number % 100 == 0:
            assert not passes(limits, "192.0.2.1", 0.0)

    assert len(limits) == MOST_ADDRESSES
