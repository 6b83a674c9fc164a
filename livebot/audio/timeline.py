"""RTP time to session time, and an engine's time to session time.

Session time is in seconds on the room's monotonic clock. Inside, positions are whole
samples, so that nothing drifts by rounding.

Rule 1: speech is never thrown away to repair time. Audio that comes late for a time that
was filled with silence is kept, and later silence is shortened instead (`_lead`).
Rule 2: positions never go backwards.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from livebot.audio.pcm import Samples, silence

RTP_WRAP = 1 << 32
"""RTP timestamps have 32 bits. aiortc adds this much for every step backwards it sees."""

_OVERLAP_S = 1.0
"""A longer step backwards is no repetition but another stream."""

_AHEAD_S = 2.0
"""So far may audio be ahead of the clock by a faster sender or a slow first packet; beyond,
its jump in RTP time is no pause but another stream."""

_SAME_S = 1e-3
"""Times this close are the same: below a sample's rounding nothing is heard."""

_QUIET = 1e-3
"""Peak (-60 dB) below which a frame carries nothing that a listener would miss."""

_QUIET_RUN_S = 0.5
"""Quiet of this length is a pause between sentences, which may be shortened."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio at its place.

    Attributes:
        samples: Never empty.
        start: Session time of the first sample, in samples.
        jump: Whether it does not continue where the stretch before it ended.
    """

    samples: Samples
    start: int
    jump: bool


class Timeline:
    """Puts one speaker's frames on the session's time line, pauses and losses as silence.

    Args:
        rate_hz: Rate of samples and of timestamps.
        patience_s: How long nothing must have come before `fill` adds silence; above the
            jitter of a usual network, below what a reader takes for a stuck caption.
        max_gap_s: A longer gap becomes a jump instead of silence.
    """

    def __init__(
        self, rate_hz: int = 48_000, *, patience_s: float = 0.5, max_gap_s: float = 30.0
    ) -> None:
        self._rate = rate_hz
        self._patience_s = patience_s
        self._max_gap = round(max_gap_s * rate_hz)
        self._position: int | None = None  # where the next sample goes
        self._jump = True
        self._expected: int | None = None  # the timestamp that would leave no gap
        self._heard = 0.0
        self._lead = 0  # how far silence filled in by timer is ahead of RTP time
        self._quiet = 0
        self._silent = 0

    @property
    def silent_seconds(self) -> float:
        """Return how much silence was added so far."""
        return self._silent / self._rate

    def push(self, samples: Samples, pts: int, now: float) -> list[Stretch]:
        """Place one frame.

        Args:
            samples: Taken over.
            pts: RTP time of the first sample; may start anywhere and wrap.
            now: Session time of arrival.
        """
        self._heard = now
        before = self._catch_up(pts, now)
        overlap = self._overlap(pts)
        if overlap >= len(samples):
            return before
        self._expected = pts + len(samples)
        kept = self._repay(samples[overlap:], round(now * self._rate))
        return [*before, *self._place(kept)]

    def fill(self, now: float) -> list[Stretch]:
        """Return silence up to shortly before `now` if nothing has come for a while."""
        if self._position is None or now - self._heard < self._patience_s:
            return []
        target = round((now - self._patience_s) * self._rate)
        filled = max(0, target - self._position)
        self._lead += filled
        return self._silence(filled)

    def restart(self) -> None:
        """Expect another stream: the next frame is placed by its arrival."""
        self._expected = None

    def _catch_up(self, pts: int, now: float) -> list[Stretch]:
        """Return the silence between the end so far and a frame."""
        arrived = round(now * self._rate)
        if self._position is None:
            self._position = arrived
        step = None if self._expected is None else signed32(pts - self._expected)
        if step is None or not self._is_believable(step, self._position, arrived):
            gap = arrived - self._position
            self._lead = max(0, -gap)
            self._expected = pts
            return self._silence(max(0, gap))
        pause = max(0, step)
        paid = min(pause, self._owed(self._position + pause, arrived))
        self._lead -= paid
        return self._silence(pause - paid)

    def _owed(self, position: int, arrived: int) -> int:
        """Return how much of the lead is to be paid back, if a frame lay at `position`.

        Never so much that the frame lay before the clock: the timestamps of a sender that
        replaces its track stand still meanwhile, and the silence filled in then was real.
        """
        return max(0, min(self._lead, position - arrived))

    def _is_believable(self, step: int, position: int, arrived: int) -> bool:
        """Tell a pause, a loss or a repetition from another stream."""
        if step < 0:
            return step >= -_OVERLAP_S * self._rate
        if not step:
            return True
        # The shortest pauses too, or many of them would make audio without end.
        start = position - self._lead + step
        return step <= self._max_gap and start <= arrived + _AHEAD_S * self._rate

    def _overlap(self, pts: int) -> int:
        """Return how many samples of a frame were there before."""
        return 0 if self._expected is None else max(0, signed32(self._expected - pts))

    def _repay(self, samples: Samples, arrived: int) -> Samples:
        """Shorten a long quiet by what was filled in before."""
        if not self._lead or self._position is None:
            return samples
        if float(np.max(np.abs(samples))) > _QUIET:
            self._quiet = 0
            return samples
        self._quiet += len(samples)
        if self._quiet <= _QUIET_RUN_S * self._rate:
            return samples
        paid = min(self._owed(self._position, arrived), len(samples))
        self._lead -= paid
        return samples[paid:]

    def _silence(self, count: int) -> list[Stretch]:
        """Move on by `count` samples: as silence, or by a jump if that is too much."""
        if count > self._max_gap and self._position is not None:
            self._position += count
            self._jump = True
            return []
        self._silent += count
        return self._place(silence(count))

    def _place(self, samples: Samples) -> list[Stretch]:
        if not len(samples) or self._position is None:
            return []
        stretch = Stretch(samples, self._position, self._jump)
        self._position += len(samples)
        self._jump = False
        return [stretch]


def signed32(step: int) -> int:
    """Return the shortest way between two timestamps of 32 bits, backwards negative."""
    return (step + RTP_WRAP // 2) % RTP_WRAP - RTP_WRAP // 2


class StreamClock:
    """Turns an engine stream's seconds into session seconds.

    An engine counts what it was sent. Whoever sends tells this clock where each piece
    of audio belongs; where one does not continue the piece before (dropped, skipped or
    never sent), the clock sets an anchor.

    Args:
        rate_hz: Rate of what the engine is sent.
        max_anchors: How many are remembered; words come soon, so the newest suffice.
    """

    def __init__(self, rate_hz: int, *, max_anchors: int = 256) -> None:
        self._rate = rate_hz
        self._sent = 0
        self._next: float | None = None
        self._anchors: deque[tuple[float, float]] = deque(maxlen=max_anchors)

    def sent(self, start: float, count: int) -> None:
        """Note that `count` samples, which begin at session time `start`, were sent."""
        if self._next is None or abs(start - self._next) > _SAME_S:
            self._anchors.append((self._sent / self._rate, start))
        self._sent += count
        streamed, session = self._anchors[-1]
        self._next = session + self._sent / self._rate - streamed

    def session_time(self, stream_s: float, *, is_end: bool = False) -> float:
        """Return the session time of a moment of the stream.

        Args:
            stream_s: Seconds from the stream's first sample.
            is_end: Whether something ends there. At the very seam between two pieces an
                end belongs to the earlier, a start to the later.
        """
        slack = -_SAME_S if is_end else _SAME_S
        for streamed, session in reversed(self._anchors):
            if streamed < stream_s + slack:
                return session + stream_s - streamed
        if not self._anchors:
            return stream_s
        streamed, session = self._anchors[0]
        return session + stream_s - streamed
