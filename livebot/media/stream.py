"""One speaker's packets in, frames out: order, decoding, and what is done about losses.

A lost packet is restored from the one behind it where that carries a copy (FEC), else a
guess is made for a short hole (PLC), else it is said how much is missing. A hole is filled
when the packet behind it is here: the guess needs to know how long it was.
"""

import math

from livebot.audio.pcm import Samples
from livebot.media.frame import RATE_HZ, Frame, PacketCounts
from livebot.media.jitter import JitterBuffer, Turn
from livebot.media.opus import STEP, Decoder, is_valid
from livebot.media.rtp import Packet, steps

MAX_GUESS = RATE_HZ // 10
"""Five packets: beyond 100 ms a guess is a noise and no help to whoever recognises words."""

PACE = 1.25
"""So much faster than speech is audio decoded in the long run: a flood holds up all others."""

BURST = 30 * RATE_HZ
"""So much more at once: what waited while the way to us was held up."""

_TIMESTAMP_BITS = 32


class AudioStream:
    """See above; decodes at once, without waiting for anything but missing packets.

    Args:
        counts: Where each packet is counted.

    Attributes:
        payload_types: Of packets that are Opus; others (tones of a telephone, say) only
            have their place in the order.

    Raises:
        MediaError: There is no libopus on this machine.
    """

    def __init__(self, counts: PacketCounts) -> None:
        self.payload_types: frozenset[int] = frozenset()
        self._counts = counts
        self._jitter = JitterBuffer(counts)
        self._decoder = Decoder()
        self._missing = 0  # packets lost since the last one that was decoded
        self._length = 0  # of that one, in samples
        self._lost = 0  # samples that are missing before the next frame
        self._timestamp: int | None = None  # of the newest packet ...
        self._pts = 0  # ... and the same without wrapping
        self._end: int | None = None  # where what was given out ends
        self._ahead = 0.0  # samples decoded faster than `PACE`
        self._looked_at = -math.inf

    @property
    def deadline(self) -> float | None:
        """Return when `tick()` is due; None while nothing waits."""
        return self._jitter.deadline

    def push(self, packet: Packet, now: float) -> list[Frame]:
        """Take a packet in; return the audio it completes.

        Args:
            packet: As it came.
            now: Seconds on any clock that does not go backwards; the same for `tick()`.
        """
        return self._decode(self._jitter.push(packet, now), now)

    def tick(self, now: float) -> list[Frame]:
        """Return the audio behind packets that were waited for long enough."""
        return self._decode(self._jitter.tick(now), now)

    def _decode(self, turns: list[Turn], now: float) -> list[Frame]:
        self._ahead = max(0.0, self._ahead - PACE * RATE_HZ * (now - self._looked_at))
        self._looked_at = now
        return [frame for turn in turns for frame in self._decode_one(turn)]

    def _decode_one(self, turn: Turn) -> list[Frame]:
        packet = turn.packet
        if turn.begins:
            self._decoder.reset()
            self._counts.lost += self._missing
            self._missing, self._end = 0, None
        self._missing += turn.lost
        if packet.payload and packet.payload_type in self.payload_types:
            return self._audio(packet.payload, self._extended(packet.timestamp))
        self._counts.received += 1
        return []

    def _audio(self, payload: bytes, pts: int) -> list[Frame]:
        """Decode a packet, after what was lost before it.

        Nonsense is as good as lost, and so is what nobody can have spoken in the time.
        """
        if self._ahead > BURST:
            self._missing += 1
            return []
        filled = self._fill_hole(payload, pts) if self._missing and is_valid(payload) else []
        samples = self._decoder.decode(payload)
        if samples is None:
            self._missing += 1
            return filled
        self._counts.received += 1
        self._length = len(samples)
        return [*filled, self._frame(samples, pts)]

    def _fill_hole(self, payload: bytes, pts: int) -> list[Frame]:
        """Make up for the packets that are missing before this one, as far as that goes."""
        packets, self._missing = self._missing, 0
        end = pts if self._end is None else self._end
        # What is missing beyond the packets' own length was not sent.
        room = max(0, min(pts - end, packets * self._length))
        copied = self._decoder.restorable(payload)
        restored = copied if copied <= room else 0
        guess = min(room - restored, MAX_GUESS) // STEP * STEP
        frames = []
        if guess:
            frames.append(self._frame(self._decoder.conceal(guess), end, concealed=True))
        self._lost += room - restored - guess
        if restored:
            frames.append(self._frame(self._decoder.restore(payload), pts - restored))
        self._count(packets, restored=bool(restored), guess=guess)
        return frames

    def _count(self, packets: int, *, restored: bool, guess: int) -> None:
        concealed = min(packets - restored, -(-guess // self._length)) if guess else 0
        self._counts.restored += restored
        self._counts.concealed += concealed
        self._counts.lost += packets - restored - concealed

    def _frame(self, samples: Samples, pts: int, *, concealed: bool = False) -> Frame:
        lost, self._lost = self._lost, 0
        self._end = pts + len(samples)
        self._ahead += len(samples)
        return Frame(samples, pts, concealed, lost)

    def _extended(self, timestamp: int) -> int:
        """Return a timestamp without its wrapping, counted from the first one."""
        if self._timestamp is None:
            self._timestamp = self._pts = timestamp
        self._pts += steps(self._timestamp, timestamp, _TIMESTAMP_BITS)
        self._timestamp = timestamp
        return self._pts
