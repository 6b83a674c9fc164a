"""How long to wait before trying again; randomness is passed in."""

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays that double up to a bound, each shortened by up to half at random.

    Args:
        first_s: The first delay, before jitter.
        most_s: No delay is longer.
    """

    first_s: float = 0.5
    most_s: float = 30.0
    attempt: int = 0

    def next_delay(self, chance: float) -> float:
        """Return the next delay in seconds.

        Args:
            chance: A random number in [0, 1).
        """
        # The exponent is bounded so that years of retries do not overflow.
        delay = min(self.most_s, self.first_s * 2.0 ** min(self.attempt, 30))
        self.attempt += 1
        return delay * (1 - chance / 2)

    def reset(self) -> None:
        """Start over: it worked."""
        self.attempt = 0
