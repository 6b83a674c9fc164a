"""Tests of `livebot.signaling.subscriptions`."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from livebot.ids import SessionId
from livebot.signaling.subscriptions import MOST_RETRY_S, OFFER_TIMEOUT_S, Subscriptions

SPEAKERS = st.sampled_from([SessionId("a"), SessionId("b"), SessionId("c")])


class SubscriptionsMachine(RuleBasedStateMachine):
    """Drives subscriptions at random beside a list of what is in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions = Subscriptions()
        self.now = 0.0
        self.in_flight: dict[str, SessionId] = {}
        self.count = 0

    @rule(speaker=SPEAKERS)
    def want(self, speaker: SessionId) -> None:
        """Want one."""
        self.subscriptions.want(speaker, self.now)

    @rule(speaker=SPEAKERS)
    def forget(self, speaker: SessionId) -> None:
        """Forget one; answers to its request no longer matter."""
        self.subscriptions.forget(speaker)
        self.in_flight = {r: s for r, s in self.in_flight.items() if s != speaker}

    @rule(passed=st.floats(0, 40))
    def ask(self, passed: float) -> None:
        """Let time pass and ask for what is due: never twice for one speaker."""
        self.now += passed
        late = set(self.subscriptions.expire(self.now))
        self.in_flight = {r: s for r, s in self.in_flight.items() if s not in late}
        for speaker in self.subscriptions.due(self.now):
            assert speaker not in self.in_flight.values()
            self.count += 1
            self.in_flight[str(self.count)] = speaker
            self.subscriptions.asked(speaker, str(self.count), self.now)

    @rule(speaker=SPEAKERS)
    def offered(self, speaker: SessionId) -> None:
        """An offer comes, asked for or not."""
        asked = self.subscriptions.offered(speaker)
        assert (asked is not None) == (speaker in self.in_flight.values())
        self.in_flight = {r: s for r, s in self.in_flight.items() if s != speaker}

    @rule(request=st.integers(0, 10))
    def refused(self, request: int) -> None:
        """An error comes, to a request of ours or not."""
        whose = self.subscriptions.refused(str(request), self.now)
        assert whose == self.in_flight.pop(str(request), None)

    @rule(speaker=SPEAKERS)
    def lost(self, speaker: SessionId) -> None:
        """The audio of one ends."""
        self.subscriptions.lost(speaker, self.now)

    @invariant()
    def everything_wanted_gets_its_turn(self) -> None:
        """What is not held is due within the longest wait there is."""
        deadline = self.subscriptions.next_deadline
        if deadline is not None:
            assert deadline <= self.now + max(MOST_RETRY_S, OFFER_TIMEOUT_S)


TestSubscriptions = SubscriptionsMachine.TestCase
