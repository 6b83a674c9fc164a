"""How long to wait before trying again; randomness is passed in."""

from dataclasses import dataclass


def delay_s(attempt: int, chance: float, *, first_s: float, most_s: float) -> float:
    """Return how long to wait after a failed attempt, shortened by up to half at random.

    Args:
        attempt: How many failed before this one.
        chance: A random number in [0, 1).
        first_s: The first delay; each next one is twice as long ...
        most_s: ... but no longer than this.
    """
    # The exponent is bounded so that years of retries do not overflow.
    return min(most_s, first_s * 2.0 ** min(attempt, 30)) * (1 - chance / 2)


@dataclass(slots=True)
class Backoff:
    """Delays that double up to a bound.

    Args:
        first_s: The first delay, before jitter.
        most_s: No delay is longer.
    """

    first_s: float = 0.5
    most_s: float = 30.0
    attempt: int = 0

    def next_delay(self, chance: float) -> float:
        """Return the next delay in seconds; `chance` is a random number in [0, 1)."""
        delay = delay_s(self.attempt, chance, first_s=self.first_s, most_s=self.most_s)
        self.attempt += 1
        return delay

    def reset(self) -> None:
        """Start over: it worked."""
        self.attempt = 0
