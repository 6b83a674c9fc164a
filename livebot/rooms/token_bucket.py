"""A bound on how often something may happen: bursts are fine, floods are not."""


class TokenBucket:
    """Full at first.

    Args:
        size: So much at once.
        per_s: So much per second in the long run.
    """

    def __init__(self, size: int, per_s: float) -> None:
        self._size = size
        self._per_s = per_s
        self._tokens = float(size)
        self._filled_at: float | None = None

    def has(self, now: float) -> bool:
        """Say whether there is one."""
        passed_s = 0.0 if self._filled_at is None else now - self._filled_at
        self._filled_at = now
        self._tokens = min(self._size, self._tokens + passed_s * self._per_s)
        return self._tokens >= 1

    def take(self, now: float) -> bool:
        """Take one; False when there is none."""
        if not self.has(now):
            return False
        self._tokens -= 1
        return True
