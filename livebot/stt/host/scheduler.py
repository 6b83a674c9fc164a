"""Who is heard next, when one core is shared by several speakers (pure).

Last words come first: an utterance is over and its reader waits. Then a speaker who
just fell silent, whose pass is most likely the last one. Then the growing utterances, the one
that has waited longest first, and none more often than the core can bear: as the passes
get longer or the speakers more, everybody's interval stretches alike.
"""

from collections.abc import Mapping

from livebot.stt.local.streaming import Want

INTERVAL_S = 0.4
"""Audio between two passes over a growing utterance when there is time for it."""

INTERIM_SHARE = 0.6
"""Part of the core for passes that only make words appear sooner."""

AHEAD_S = 2.5
"""Audio that comes faster than it is spoken is a recording: only its last words count."""

_DRAIN = 1.25

_MEMORY = 0.3


class Pace:
    """Tells a recording from somebody who is speaking now.

    A leaky bucket that drains a little faster than speech comes, so that the burst at
    the start of a stream (what was said while it was opened) is soon forgiven.
    """

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._now: float | None = None

    @property
    def is_recording(self) -> bool:
        """Whether the audio is far ahead of the clock."""
        return self._ahead_s > AHEAD_S

    def feed(self, audio_s: float, now: float) -> None:
        """Note that so much audio has come."""
        passed_s = 0.0 if self._now is None else now - self._now
        self._now = now
        self._ahead_s = max(0.0, self._ahead_s - _DRAIN * passed_s) + audio_s


class Scheduler:
    """Chooses; knows what the passes of each stream cost."""

    def __init__(self) -> None:
        self._cost_s: dict[int, float] = {}

    def choose(self, wants: Mapping[int, Want]) -> int | None:
        """Return the stream whose turn it is, or None when nothing is worth a pass yet.

        Args:
            wants: What each stream would like to have done.
        """
        due = {stream: want for stream, want in wants.items() if self._is_due(stream, want)}
        if not due:
            return None
        return max(due, key=lambda s: (due[s].is_final, due[s].is_settled, due[s].age_s))

    def ran(self, stream: int, took_s: float) -> None:
        """Note what a pass cost."""
        before = self._cost_s.get(stream, took_s)
        self._cost_s[stream] = before + _MEMORY * (took_s - before)

    def fell_silent(self, stream: int) -> None:
        """Note that a stream needs nothing at present: the others get its share."""
        self._cost_s.pop(stream, None)

    def interval_s(self, stream: int) -> float:
        """Return how much audio must come between two passes of a stream."""
        load_s = len(self._cost_s) * self._cost_s.get(stream, 0.0) / INTERIM_SHARE
        return max(INTERVAL_S, load_s)

    def _is_due(self, stream: int, want: Want) -> bool:
        return want.is_final or want.is_settled or want.age_s >= self.interval_s(stream)
