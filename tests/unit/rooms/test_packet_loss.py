"""Tests of `livebot.rooms.packet_loss`."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.captions.gap import Cause, Gap
from livebot.rooms.packet_loss import BURST_S, HOLE_S, OPEN_S, WINDOW_S, PacketLoss
from tests.support.gaps import over

PACKET_S = 0.02

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, PACKET_S, PACKET_S, 0.3, 1.0, WINDOW_S]),
        st.sampled_from([0.0, 0.02, 0.1, 0.1, 0.4, 0.4, 0.7, 60.0]),
        st.integers(0, 9).map(lambda number: number == 0),
    ),
    min_size=5,
    max_size=80,
)


class Line:
    """Packets each 20 ms of which some get lost, from the 100th second on."""

    def __init__(self) -> None:
        self.loss = PacketLoss()
        self.now = 100.0
        self.lost_s = 0.0
        self.told: list[Gap] = []
        self._missing = 0

    def send(self, seconds: float, is_lost: "list[bool]") -> None:
        """Send, losing in this pattern."""
        for number in range(round(seconds / PACKET_S)):
            self.now += PACKET_S
            if is_lost[number % len(is_lost)]:
                self._missing += 1
                continue
            lost_s, self._missing = self._missing * PACKET_S, 0
            self.lost_s += lost_s
            self.told += self.loss.heard(self.now, PACKET_S, lost_s, concealed=False)
            self.told += self.loss.tick(self.now)


@given(STEPS)
def test_what_is_told_makes_sense(steps: list[tuple[float, float, bool]]) -> None:
    """Whatever comes: what is begun is ended, nothing overlaps, nothing is counted twice."""
    loss, now, total_s, told = PacketLoss(), 0.0, 0.0, list[Gap]()
    for passed, lost_s, concealed in steps:
        now += passed
        total_s += lost_s + (PACKET_S if concealed else 0.0)
        told += loss.heard(now, PACKET_S, lost_s, concealed=concealed)
        told += loss.tick(now)
    told += loss.flush()

    ended = over(told)
    assert {gap.cause for gap in ended} <= {Cause.NETWORK}
    assert sum(gap.lost_s for gap in ended) <= total_s + 1e-6
    assert sum(gap.lost_s for gap in ended) <= now + len(steps) * BURST_S


@settings(max_examples=25)
@given(st.integers(3, 8), st.floats(25.0, 60.0), st.integers(0, 1000).map(random.Random))
def test_heavy_loss_is_told_to_the_last_packet(
    lost: int, seconds: float, chance: random.Random
) -> None:
    """One gap as long as the trouble, with all that was lost in it; it ends after it."""
    block = [True] * lost + [False] * (20 - lost)
    pattern = [is_lost for _ in range(20) for is_lost in chance.sample(block, len(block))]
    line = Line()
    line.send(5, [False])
    line.send(seconds, pattern)
    line.send(PACKET_S, [False])
    trouble_over = line.now
    line.send(WINDOW_S + 1, [False])

    ended = over(line.told)
    assert [gap.lost_s for gap in ended] == [pytest.approx(line.lost_s)]
    assert ended[0].end is not None
    assert ended[0].end <= trouble_over


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from([1.0, 6.0, 11.0]), st.sampled_from([1, 2, 5, 8, 60, 1000])),
        min_size=2,
        max_size=12,
    )
)
def test_nothing_is_counted_twice(phases: list[tuple[float, int]]) -> None:
    """Good and bad times and holes, in any order."""
    line = Line()
    for seconds, every in phases:
        line.send(seconds, [True] + [False] * (every - 1))
    line.send(WINDOW_S + 1, [False])

    assert sum(gap.lost_s for gap in over(line.told)) <= line.lost_s + 1e-6


def test_a_hole_within_a_bad_time_is_part_of_it() -> None:
    """Readers are told of one trouble, not of two at once; another one later is another gap."""
    line = Line()
    for _ in range(2):
        line.send(20, [True] + [False] * 4)
        line.send(1, [True])
        line.send(20, [True] + [False] * 4)
        line.send(2 * WINDOW_S, [True] + [False] * 150)

    assert len(over(line.told)) == 2
    assert sum(gap.lost_s for gap in over(line.told)) == pytest.approx(2 * 9, abs=0.5)


@settings(max_examples=25)
@given(st.integers(12, 100))
def test_light_loss_is_made_up_for(every: int) -> None:
    """Less than a tenth, a packet here and there, is told to nobody."""
    line = Line()
    line.send(60, [True] + [False] * (every - 1))

    assert line.lost_s > 0
    assert line.told == []


def test_it_is_told_within_seconds_and_is_over_after_a_while() -> None:
    """A fifth is lost: told once a second of it is, and over when nothing was for the window."""
    line = Line()
    line.send(60, [False])
    began = line.now
    line.send(20, [True] + [False] * 4)
    line.send(WINDOW_S, [False])

    assert line.told[0] == Gap(
        Cause.NETWORK,
        pytest.approx(began, abs=0.1),  # type: ignore[arg-type]
        None,
        pytest.approx(OPEN_S, abs=0.1),  # type: ignore[arg-type]
    )
    (ended,) = over(line.told)
    assert ended.end == pytest.approx(began + 20, abs=0.2)
    assert ended.lost_s == pytest.approx(4, abs=0.05)


def test_a_hole_is_told_by_itself() -> None:
    """Half a second in a row, guesses included, is where a word was."""
    loss = PacketLoss()
    loss.heard(10.0, PACKET_S, 0.0, concealed=False)
    loss.heard(10.7, 0.1, 0.0, concealed=True)
    told = loss.heard(10.7, PACKET_S, 0.5, concealed=False)

    (gap,) = over(told)
    assert (gap.start, gap.end, gap.lost_s) == pytest.approx((10.1, 10.7, 0.6))


@pytest.mark.parametrize("lost_s", [HOLE_S - 0.01, 0.02])
def test_a_smaller_hole_is_not(lost_s: float) -> None:
    """A syllable that is missing is not announced."""
    loss = PacketLoss()
    loss.heard(10.0, PACKET_S, 0.0, concealed=False)

    assert loss.heard(11.0, PACKET_S, lost_s, concealed=False) == []


def test_a_sender_cannot_claim_more_than_time_has_passed() -> None:
    """Packet numbers are the sender's; a forged step of a minute is not believed."""
    loss = PacketLoss()
    loss.heard(10.0, PACKET_S, 0.0, concealed=False)
    (gap,) = loss.heard(10.02, PACKET_S, 60.0, concealed=False)

    assert gap.lost_s <= BURST_S + PACKET_S


def test_another_connection_begins_without_a_hole() -> None:
    """What a guess began on the one is not ended by the other."""
    loss = PacketLoss()
    loss.heard(10.0, 0.6, 0.0, concealed=True)
    loss.restart()

    assert loss.heard(20.0, PACKET_S, 0.0, concealed=False) == []
