"""Tests of `livebot.signaling.subscriptions`.

Spec: signaling-session/Requests
"""

import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from livebot.ids import SessionId
from livebot.signaling.subscriptions import (
    AT_ONCE,
    BUSY_S,
    FIRST_RETRY_S,
    MOST_RETRY_S,
    OFFER_TIMEOUT_S,
    Subscriptions,
)

SPEAKERS = st.sampled_from([SessionId(f"s{n}") for n in range(2 * AT_ONCE)])
ALICE = SessionId("alice")


class SubscriptionsMachine(RuleBasedStateMachine):
    """Drives subscriptions at random beside a list of what is in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = 0.0
        self.subscriptions = Subscriptions(lambda: self.chance)
        self.now = 0.0
        self.wanted: set[SessionId] = set()
        self.held: set[SessionId] = set()
        self.in_flight: dict[str, SessionId] = {}
        self.answers: dict[str, SessionId] = {}
        self.asked_at: dict[SessionId, float] = {}
        self.count = 0

    def _gone(self, speaker: SessionId) -> None:
        """Forget what the model knows to be under way for one."""
        self.held.discard(speaker)
        self.in_flight = {r: s for r, s in self.in_flight.items() if s != speaker}
        self.answers = {r: s for r, s in self.answers.items() if s != speaker}

    @rule(speakers=st.sets(SPEAKERS), chance=st.floats(0, 0.999))
    def want(self, speakers: set[SessionId], chance: float) -> None:
        """Want some."""
        self.chance = chance
        for speaker in speakers:
            self.subscriptions.want(speaker, self.now)
        self.wanted |= speakers

    @rule(speaker=SPEAKERS)
    def forget(self, speaker: SessionId) -> None:
        """Forget one; answers to its request no longer matter."""
        self.subscriptions.forget(speaker)
        self.wanted.discard(speaker)
        self._gone(speaker)

    @rule(passed=st.floats(0, 40))
    def ask(self, passed: float) -> None:
        """Let time pass and ask for what is due: never twice for one, never many at once."""
        self.now += passed
        for speaker in self.subscriptions.expire(self.now):
            self._gone(speaker)
        for speaker in self.subscriptions.due(self.now):
            assert speaker in self.wanted - self.held - set(self.in_flight.values())
            self.count += 1
            self.in_flight[str(self.count)] = speaker
            self.asked_at[speaker] = self.now
            self.subscriptions.asked(speaker, str(self.count), self.now)

    @rule(speaker=SPEAKERS)
    def offered(self, speaker: SessionId) -> None:
        """An offer comes, asked for or not: either way it is what we want."""
        was_asked = speaker in self.in_flight.values()
        asked_at = self.subscriptions.offered(speaker)
        assert asked_at == (self.asked_at[speaker] if was_asked else None)
        self._gone(speaker)
        if speaker in self.wanted:
            self.held.add(speaker)

    @rule(speaker=SPEAKERS)
    def answered(self, speaker: SessionId) -> None:
        """We answer; only the newest answer matters."""
        self.count += 1
        self.subscriptions.answered(speaker, str(self.count))
        if speaker in self.held:
            self.answers = {r: s for r, s in self.answers.items() if s != speaker}
            self.answers[str(self.count)] = speaker

    @rule(data=st.data())
    def refused(self, data: st.DataObject) -> None:
        """An error comes, to a message of ours or not."""
        request = data.draw(st.sampled_from(["", "x", *self.in_flight, *self.answers]))
        whose = self.subscriptions.refused(request, self.now)
        assert whose == (self.in_flight | self.answers).get(request)
        if whose is not None:
            self._gone(whose)

    @rule(speaker=SPEAKERS)
    def lost(self, speaker: SessionId) -> None:
        """The audio of one ends; it matters only where we had it."""
        self.subscriptions.lost(speaker, self.now)
        if speaker in self.held:
            self._gone(speaker)

    @rule(speaker=SPEAKERS)
    def steady(self, speaker: SessionId) -> None:
        """The audio of one is fine."""
        self.subscriptions.steady(speaker)

    @invariant()
    def everything_wanted_gets_its_turn(self) -> None:
        """What is not held is due within the longest wait there is, and is not due before."""
        deadline = self.subscriptions.next_deadline
        assert (deadline is None) == (self.wanted <= self.held)
        if deadline is not None:
            assert deadline <= self.now + max(MOST_RETRY_S, OFFER_TIMEOUT_S)

    @invariant()
    def the_deadline_brings_something(self) -> None:
        """Whoever wakes at it has something to do: the loop never spins."""
        deadline = self.subscriptions.next_deadline
        if deadline is not None and deadline > self.now:
            assert self.subscriptions.due(self.now) == []
            late = any(
                self.asked_at[s] + OFFER_TIMEOUT_S <= deadline for s in self.in_flight.values()
            )
            assert late or self.subscriptions.due(deadline)

    @invariant()
    def few_at_once(self) -> None:
        """The server is busy with a handful of requests at most."""
        young = [s for s in self.in_flight.values() if self.asked_at[s] + BUSY_S > self.now]
        assert len(young) <= AT_ONCE


TestSubscriptions = SubscriptionsMachine.TestCase


def _fails(subscriptions: Subscriptions, now: float) -> float:
    """Ask for what is due, be refused, and return how long the next try has to wait."""
    (speaker,) = subscriptions.due(now)
    subscriptions.asked(speaker, "1", now)
    assert subscriptions.refused("1", now) == speaker
    assert subscriptions.next_deadline is not None
    return subscriptions.next_deadline - now


def test_a_ghost_is_not_hammered() -> None:
    """Each failure doubles the wait, up to a bound; only audio that arrives starts it over."""
    subscriptions = Subscriptions()
    subscriptions.want(ALICE, 0.0)
    now, waits = 0.0, []
    for _ in range(7):
        waits.append(_fails(subscriptions, now))
        now += waits[-1]
    subscriptions.asked(ALICE, "1", now)
    subscriptions.offered(ALICE)
    subscriptions.lost(ALICE, now)
    after_an_offer = subscriptions.next_deadline
    subscriptions.offered(ALICE)
    subscriptions.steady(ALICE)
    subscriptions.lost(ALICE, now)

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert after_an_offer == now + MOST_RETRY_S
    assert subscriptions.next_deadline == now + FIRST_RETRY_S


def test_speakers_who_failed_together_are_asked_for_apart() -> None:
    """A media server that comes back is not met by everybody in the same moment."""
    dice = random.Random(1)
    subscriptions = Subscriptions(dice.random)
    for n in range(100):
        subscriptions.want(SessionId(f"s{n}"), 0.0)
        subscriptions.asked(SessionId(f"s{n}"), str(n), 0.0)
    for n in range(100):
        subscriptions.refused(str(n), 0.0)

    at = []
    for n in range(100):
        alone = Subscriptions(dice.random)
        alone.want(ALICE, 0.0)
        at.append(_fails(alone, 0.0))
        assert SessionId(f"s{n}") in subscriptions.wanted

    assert max(at) - min(at) > 0.4 * FIRST_RETRY_S
    assert min(at) >= FIRST_RETRY_S / 2


@pytest.mark.parametrize("silent", [0, 50, 200])
def test_two_hundred_speakers_after_a_restart(silent: int) -> None:
    """Ten at once while the server answers; those who are not there delay nobody for long."""
    subscriptions = Subscriptions()
    people = [SessionId(f"s{n}") for n in range(200)]
    for person in people:
        subscriptions.want(person, 0.0)
    absent = set(people[:silent])
    now, asked = 0.0, set[SessionId]()
    while len(asked) < len(people):
        subscriptions.expire(now)
        due = subscriptions.due(now)
        assert len(due) <= AT_ONCE
        for person in due:
            subscriptions.asked(person, person, now)
            asked.add(person)
            if person not in absent:
                subscriptions.offered(person)
        now = now if due else subscriptions.next_deadline or now

    assert now <= silent / AT_ONCE * BUSY_S


def test_a_late_offer_settles_a_retry_that_is_due() -> None:
    """To ask once more would make a new handle and kill the one that was just offered."""
    subscriptions = Subscriptions()
    subscriptions.want(ALICE, 0.0)
    subscriptions.asked(ALICE, "1", 0.0)
    assert subscriptions.expire(OFFER_TIMEOUT_S) == [ALICE]

    assert subscriptions.offered(ALICE) is None

    assert subscriptions.next_deadline is None
    assert subscriptions.due(1000.0) == []
