"""How long to wait before Nextcloud is asked again; randomness is passed in (pure)."""


def delay_s(attempt: int, chance: float, *, first_s: float, most_s: float) -> float:
    """Return how long to wait after a failed attempt, shortened by up to half at random.

    Args:
        attempt: How many failed before this one.
        chance: A random number in [0, 1).
        first_s: The first delay; each next one is twice as long ...
        most_s: ... but no longer than this.
    """
    # The exponent is bounded so that days of retries do not overflow.
    return min(most_s, first_s * 2.0 ** min(attempt, 30)) * (1 - chance / 2)
