"""Packets from the network in, packets in their order out.

What comes in order is handed on at once: nothing is held back in advance. Only a packet
behind a hole waits, for the missing one, until one of two bounds is reached: `WINDOW`
packets, or `PATIENCE_S`. Silence that is not sent (DTX) leaves no hole, because sequence
numbers count packets; what it does leave, a step in the timestamps, is not looked at here.
"""

from dataclasses import dataclass

from livebot.media.frame import PacketCounts
from livebot.media.rtp import Packet, steps

WINDOW = 4
"""By so many places may a packet come too late and still take its own."""

PATIENCE_S = 0.08
"""So long may a packet wait for those before it: four packets of the usual length."""

MAX_AHEAD = 3000
"""A step forward of more packets (a minute) is no loss but another stream (RFC 3550 A.1)."""

MAX_BEHIND = 100
"""A step back of more packets is no late one but another stream (RFC 3550 A.1)."""

_SEQUENCE_BITS = 16
_SEQUENCE = (1 << _SEQUENCE_BITS) - 1
_MEMORY = (1 << MAX_BEHIND) - 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A packet whose turn it is.

    Attributes:
        packet: It.
        lost: How many packets before it never came in time.
        begins: Whether it is the first of a stream; what came before is unrelated.
    """

    packet: Packet
    lost: int
    begins: bool


class JitterBuffer:
    """Puts the packets of one speaker in order; holds at most `WINDOW` of them, and a stray one.

    Args:
        counts: Where late and duplicate packets are counted. Those handed on, and the
            missing ones, are counted by who takes them.
    """

    def __init__(self, counts: PacketCounts) -> None:
        self._counts = counts
        self._ssrc: int | None = None
        self._next = 0  # the sequence number whose turn it is
        self._came = 0  # bit n: whether the packet n + 1 before that one came in time
        self._held: dict[int, tuple[Packet, float]] = {}
        self._lost = 0  # given up since the last turn
        self._begins = False
        self._stray: Packet | None = None

    @property
    def deadline(self) -> float | None:
        """Return when `tick()` is due; None while nothing is held."""
        if not self._held:
            return None
        return min(arrived for _, arrived in self._held.values()) + PATIENCE_S

    def push(self, packet: Packet, now: float) -> list[Turn]:
        """Take a packet in; return those whose turn it is.

        Args:
            packet: As it came.
            now: Seconds on any clock that does not go backwards; the same for `tick()`.
        """
        if self._ssrc is None:
            self._begin(packet)
        ahead = steps(self._next, packet.sequence_number, _SEQUENCE_BITS)
        if packet.ssrc != self._ssrc or not -MAX_BEHIND <= ahead <= MAX_AHEAD:
            return self._push_stray(packet, now)
        self._drop_stray()
        if ahead < 0:
            came = self._came >> (-ahead - 1) & 1
            self._drop(is_duplicate=bool(came))
            return []
        if packet.sequence_number in self._held:
            self._drop(is_duplicate=True)
            return []
        self._held[packet.sequence_number] = (packet, now)
        return [*self._advance(ahead - WINDOW), *self._in_order()]

    def tick(self, now: float) -> list[Turn]:
        """Give up the packets that were waited for long enough; return those behind them."""
        turns: list[Turn] = []
        while self.deadline is not None and self.deadline <= now:
            turns += self._close_hole()
        return turns

    def _close_hole(self) -> list[Turn]:
        """Go on behind the first hole."""
        hole = min(steps(self._next, number, _SEQUENCE_BITS) for number in self._held)
        return [*self._advance(hole), *self._in_order()]

    def _in_order(self) -> list[Turn]:
        turns: list[Turn] = []
        while self._next in self._held:
            turns += self._advance(1)
        return turns

    def _advance(self, count: int) -> list[Turn]:
        """Go on by so many packets, whether they are here or not."""
        turns = []
        # What is held waits within the window: beyond it a jump costs the same at any length.
        for _ in range(min(count, WINDOW + 1)):
            packet, _arrived = self._held.pop(self._next, (None, 0.0))
            self._skip(1, came=packet is not None)
            if packet is not None:
                turns.append(Turn(packet, self._lost, self._begins))
                self._lost, self._begins = 0, False
        self._skip(max(0, count - WINDOW - 1), came=False)
        return turns

    def _skip(self, count: int, *, came: bool) -> None:
        self._next = (self._next + count) & _SEQUENCE
        self._came = (self._came << count | came) & _MEMORY
        self._lost += 0 if came else count

    def _begin(self, first: Packet) -> None:
        self._ssrc, self._next = first.ssrc, first.sequence_number
        self._came, self._lost, self._begins = 0, 0, True

    def _push_stray(self, packet: Packet, now: float) -> list[Turn]:
        """Put aside a packet that does not belong to the stream.

        Two that follow on each other begin another one; a single one, or one now and then
        from a second sender, ends nothing.
        """
        first = self._stray
        if first is None or first.ssrc != packet.ssrc or not self._follows(first, packet):
            self._drop_stray()
            self._stray = packet
            return []
        self._stray = None
        turns: list[Turn] = []
        while self._held:
            turns += self._close_hole()
        self._begin(first)
        return [*turns, *self.push(first, now), *self.push(packet, now)]

    @staticmethod
    def _follows(first: Packet, second: Packet) -> bool:
        step = steps(first.sequence_number, second.sequence_number, _SEQUENCE_BITS)
        return 0 < step <= WINDOW

    def _drop_stray(self) -> None:
        if self._stray is not None:
            self._stray = None
            self._drop(is_duplicate=False)

    def _drop(self, *, is_duplicate: bool) -> None:
        if is_duplicate:
            self._counts.duplicate += 1
        else:
            self._counts.late += 1
