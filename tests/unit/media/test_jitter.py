"""Tests of `livebot.media.jitter`."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.media.frame import PacketCounts
from livebot.media.jitter import MAX_AHEAD, PATIENCE_S, WINDOW, JitterBuffer, Turn
from livebot.media.rtp import Packet

FIRST = st.sampled_from([0, 1000, 65_530])


def packet(number: int, ssrc: int = 1) -> Packet:
    """Return a packet whose payload says which one it is."""
    return Packet(ssrc, number % 2**16, number * 960, 111, str(number).encode())


def numbers(turns: list[Turn]) -> list[int]:
    """Return which packets these are."""
    return [int(turn.packet.payload) for turn in turns]


@st.composite
def disorder(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Draw numbers in order, and the same with each late by up to a window, some doubled."""
    first = draw(FIRST)
    count = draw(st.integers(1, 40))
    delays = draw(st.lists(st.integers(0, WINDOW), min_size=count, max_size=count))
    delays[0] = 0  # before the first one there is nothing to wait for
    order = sorted(range(count), key=lambda n: n + delays[n])
    doubled = draw(st.lists(st.sampled_from(order), max_size=10))
    for number in doubled:
        order.insert(draw(st.integers(order.index(number) + 1, len(order))), number)
    return [first + n for n in range(count)], [first + n for n in order]


@given(disorder())
def test_reordered_and_doubled_packets_come_out_as_if_in_order(
    case: tuple[list[int], list[int]],
) -> None:
    """Each once, in its place, none lost; the doubled ones are counted."""
    ordered, arriving = case
    counts = PacketCounts()
    buffer = JitterBuffer(counts)

    turns = [turn for number in arriving for turn in buffer.push(packet(number), 0.0)]

    assert numbers(turns) == ordered
    assert [turn.begins for turn in turns] == [True] + [False] * (len(ordered) - 1)
    assert sum(turn.lost for turn in turns) == 0
    assert counts == PacketCounts(duplicate=len(arriving) - len(ordered))


@given(FIRST, st.lists(st.booleans(), max_size=60))
def test_lost_packets_are_told_with_the_next_one(first: int, pattern: list[bool]) -> None:
    """Whatever is lost: the others come in order, each saying how many are missing before it."""
    buffer = JitterBuffer(PacketCounts())
    sent = [first, *(first + 1 + n for n, came in enumerate(pattern) if came)]

    turns = [turn for number in sent for turn in buffer.push(packet(number), 0.0)]
    turns += buffer.tick(PATIENCE_S)

    assert numbers(turns) == sent
    expected = [0, *(b - a - 1 for a, b in itertools.pairwise(sent))]
    assert [turn.lost for turn in turns] == expected


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2), st.floats(0, 0.1))))
def test_whatever_arrives_little_is_held_and_each_is_accounted_for(
    arrivals: list[tuple[int, int, float]],
) -> None:
    """Nonsense costs no memory, is held for no longer than told, and is counted once."""
    counts = PacketCounts()
    buffer = JitterBuffer(counts)
    out, now = 0, 0.0
    for number, ssrc, later in arrivals:
        now += later
        out += len(buffer.tick(now))
        assert buffer.deadline is None or now < buffer.deadline <= now + PATIENCE_S
        out += len(buffer.push(packet(number, ssrc), now))
        assert len(buffer._held) <= WINDOW
    inside = len(buffer._held) + (buffer._stray is not None)

    assert out + counts.late + counts.duplicate + inside == len(arrivals)


def test_what_comes_in_order_waits_for_nothing() -> None:
    """However long the silence between two packets (DTX) is."""
    buffer = JitterBuffer(PacketCounts())

    for number in range(100):
        assert numbers(buffer.push(packet(number), number * 10.0)) == [number]
        assert buffer.deadline is None


def test_a_hole_is_given_up_at_the_deadline() -> None:
    """Not before it; from the arrival of the packet that waits, not of the last one."""
    buffer = JitterBuffer(PacketCounts())
    buffer.push(packet(0), 1.0)
    assert buffer.push(packet(2), 1.02) == []
    assert buffer.push(packet(3), 1.04) == []

    assert buffer.deadline == 1.02 + PATIENCE_S
    assert buffer.tick(1.02 + PATIENCE_S - 0.001) == []
    turns = buffer.tick(1.02 + PATIENCE_S)
    assert numbers(turns) == [2, 3]
    assert [turn.lost for turn in turns] == [1, 0]
    assert buffer.deadline is None


def test_a_hole_is_given_up_when_the_window_is_full() -> None:
    """The packet that is one too far ahead opens the way, without any time passing."""
    buffer = JitterBuffer(PacketCounts())
    buffer.push(packet(0), 0.0)
    for number in range(2, 2 + WINDOW):
        assert buffer.push(packet(number), 0.0) == []

    turns = buffer.push(packet(2 + WINDOW), 0.0)

    assert numbers(turns) == list(range(2, 3 + WINDOW))
    assert turns[0].lost == 1


def test_a_packet_after_its_time_is_late_and_a_second_one_a_duplicate() -> None:
    """What was given up and comes after all is not what came and comes again."""
    counts = PacketCounts()
    buffer = JitterBuffer(counts)
    for number in (0, 2):
        buffer.push(packet(number), 0.0)
    buffer.tick(1.0)

    assert buffer.push(packet(1), 1.0) == buffer.push(packet(2), 1.0) == []
    assert counts == PacketCounts(late=1, duplicate=1)


@pytest.mark.parametrize(("ahead", "ssrc"), [(0, 2), (MAX_AHEAD + 500, 1)])
def test_a_foreign_packet_now_and_then_ends_nothing(ahead: int, ssrc: int) -> None:
    """Another source's, or from far away: they are dropped, and the stream goes on."""
    counts = PacketCounts()
    buffer = JitterBuffer(counts)
    for number in range(10):
        turns = buffer.push(packet(number), 0.0)
        assert numbers(turns) == [number]
        assert buffer.push(packet(number + ahead, ssrc), 0.0) == []

    # The last one might still begin another stream.
    assert counts == PacketCounts(late=9)


def test_two_packets_of_another_stream_begin_it() -> None:
    """A new source or a new count: both are handed on, after what was held of the old one."""
    for foreign in (packet(7, ssrc=2), packet(MAX_AHEAD + 500)):
        buffer = JitterBuffer(PacketCounts())
        buffer.push(packet(0), 0.0)
        buffer.push(packet(2), 0.0)
        second = packet(int(foreign.payload) + 1, foreign.ssrc)

        assert buffer.push(foreign, 0.0) == []
        turns = buffer.push(second, 0.0)
        assert [(turn.packet, turn.lost, turn.begins) for turn in turns] == [
            (packet(2), 1, False),
            (foreign, 0, True),
            (second, 0, False),
        ]


def test_a_jump_of_any_length_costs_the_same() -> None:
    """Whoever jumps a minute ahead with each packet holds up nobody else's audio."""

    def cost(step: int) -> float:
        buffer = JitterBuffer(PacketCounts())
        packets = [packet(step * n) for n in range(100)]
        started = time.process_time()
        turns = [turn for each in packets for turn in buffer.push(each, 0.0)]
        passed = time.process_time() - started
        assert {turn.lost for turn in turns[1:]} == {step - 1}
        return passed

    assert min(cost(2900) for _ in range(3)) < 10 * min(cost(10) for _ in range(3))
