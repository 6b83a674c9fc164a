"""The circuit breaker: laws over whatever may happen, and the few cases that are its point."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livebot.stt.breaker import BUSY_MOST_S, FIRST_S, MOST_S, Breaker, Failure, State

LOSSES = [Failure.LOST, Failure.STALLED]


class BreakerMachine(RuleBasedStateMachine):
    """Streams that come, give words, fail and leave in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker()
        self.tickets: list[int] = []
        self.probe: int | None = None

    @initialize(most_s=st.integers(1, 60))
    def start(self, most_s: int) -> None:
        """Begin with any patience."""
        self.breaker = Breaker(most_s=most_s)

    @rule(quarters=st.integers(0, 360))
    def wait(self, quarters: int) -> None:
        """Let time pass."""
        self.now += quarters / 4

    @rule()
    def enter(self) -> None:
        """Nobody gets in while it is open, and one at a time while it is half open."""
        state, probing = self.breaker.state(self.now), self.probe is not None
        ticket = self.breaker.enter(self.now)

        refused = state is State.OPEN or (state is State.HALF_OPEN and probing)
        assert (ticket is None) == refused
        if ticket is not None:
            assert ticket not in self.tickets
            self.tickets.append(ticket)
            self.probe = ticket if state is State.HALF_OPEN else self.probe

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), is_last=st.booleans())
    def opens(self, data: st.DataObject, *, is_last: bool) -> None:
        """A stream that opens never makes it worse; without another engine, all may try."""
        ticket = data.draw(st.sampled_from(self.tickets))
        was_probe = ticket == self.probe
        before = self.breaker.state(self.now)

        self.breaker.opened(ticket, is_last=is_last)

        after = self.breaker.state(self.now)
        assert after in {before, State.CLOSED}
        assert after is State.CLOSED or not (was_probe and is_last)
        self.probe = None if after is State.CLOSED else self.probe

    @precondition(lambda self: self.tickets)
    @rule()
    def gives_a_word(self) -> None:
        """A success closes it, whatever was before."""
        self.breaker.works()

        assert self.breaker.state(self.now) is State.CLOSED
        self.probe = None

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), failure=st.sampled_from(Failure))
    def fails(self, data: st.DataObject, failure: Failure) -> None:
        """A failure of whoever tries opens it; one from before the rest changes nothing."""
        ticket = self._end(data)
        before, retry = self.breaker.state(self.now), self.breaker.retry_in_s(self.now)

        rests = self.breaker.failed(ticket, failure, self.now)

        if before is not State.CLOSED and ticket != self.probe:
            assert not rests
            assert self.breaker.retry_in_s(self.now) == retry
        elif ticket == self.probe or failure not in LOSSES:
            assert rests
        assert not rests or self.breaker.state(self.now) is State.OPEN
        self.probe = None if rests else self.probe

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        """Who leaves or is cancelled without a proof frees the place, and changes nothing."""
        before = self.breaker.state(self.now)
        ticket = self._end(data)

        self.breaker.left(ticket)

        assert self.breaker.state(self.now) is before
        self.probe = None if ticket == self.probe else self.probe

    def _end(self, data: st.DataObject) -> int:
        ticket = data.draw(st.sampled_from(self.tickets))
        self.tickets.remove(ticket)
        return ticket

    @invariant()
    def tells_when_to_come_again(self) -> None:
        """No rest is longer than the longest, and who comes when told to is let in."""
        state, retry = self.breaker.state(self.now), self.breaker.retry_in_s(self.now)
        assert (retry is None) == (state is State.HALF_OPEN and self.probe is not None)
        assert retry is None or 0 <= retry <= MOST_S
        assert state is not State.OPEN or retry


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=30)


def fail(breaker: Breaker, failure: Failure, now: float) -> float | None:
    """Let a stream in that fails; return when the next one may come."""
    ticket = breaker.enter(now)
    assert ticket is not None
    if failure in {Failure.BUSY, *LOSSES}:
        breaker.opened(ticket, is_last=True)
    breaker.failed(ticket, failure, now)
    return breaker.retry_in_s(now)


@pytest.mark.parametrize(
    ("failure", "rests"),
    [
        (Failure.UNREACHABLE, [1, 2, 4, 8, 16, 32, 60, 60]),
        (Failure.LOST, [0, 1, 2, 4, 8, 16, 32, 60]),
        (Failure.STALLED, [0, 1, 2, 4, 8, 16, 32, 60]),
        (Failure.BUSY, [1, 2, 4, 8, 8]),
        (Failure.REFUSED, [60, 60]),
    ],
)
def test_rests_grow_up_to_their_bound(failure: Failure, rests: list[float]) -> None:
    """Each kind of failure has its own pace, also where every stream opens and then fails."""
    breaker, now, found = Breaker(), 0.0, []

    for _ in rests:
        rest_s = fail(breaker, failure, now)
        assert rest_s is not None
        found.append(rest_s)
        now += rest_s

    assert found == rests
    assert BUSY_MOST_S == 8


def test_a_stream_that_ends_now_and_then_opens_nothing() -> None:
    """Losses with words between them are no dead endpoint, however many."""
    breaker = Breaker()

    for turn in range(20):
        ticket = breaker.enter(float(turn))
        assert ticket is not None
        breaker.opened(ticket, is_last=False)
        breaker.works()
        assert not breaker.failed(ticket, Failure.LOST, float(turn))

    assert breaker.state(20.0) is State.CLOSED


def test_many_streams_lost_at_once_are_one_failure() -> None:
    """A server that dies under twenty streams is asked again after the first rest."""
    breaker = Breaker()
    tickets = [breaker.enter(0.0) for _ in range(20)]

    for ticket in tickets:
        assert ticket is not None
        breaker.failed(ticket, Failure.LOST, 0.0)

    assert breaker.retry_in_s(0.0) == FIRST_S


@pytest.mark.parametrize(("is_last", "state"), [(True, State.CLOSED), (False, State.HALF_OPEN)])
def test_who_was_deaf_must_give_a_word(*, is_last: bool, state: State) -> None:
    """A deaf engine opens streams as well: where there is another, one stream tries it."""
    breaker = Breaker()
    fail(breaker, Failure.STALLED, 0.0)
    fail(breaker, Failure.STALLED, 0.0)
    ticket = breaker.enter(1.0)
    assert ticket is not None

    breaker.opened(ticket, is_last=is_last)

    assert breaker.state(1.0) is state
