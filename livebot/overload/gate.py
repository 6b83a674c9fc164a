"""A limit with a memory, so that a value at the edge of it does not flap."""

CALM_S = 10.0
"""How long a value must have been low before the gate opens again."""


class Gate:
    """Shuts as soon as a value is above its limit, opens after `CALM_S` of low values.

    So it never shuts twice within `CALM_S`, and higher values never open it earlier.

    Args:
        limit: The highest value that is allowed.
        low: What counts as low while the gate is shut: not above this share of the limit.
    """

    def __init__(self, limit: float, *, low: float) -> None:
        self.limit = limit
        self.worst: float | None = None
        self._low = limit * low
        self._busy_at = 0.0

    @property
    def is_shut(self) -> bool:
        """Whether no more can be taken; `worst` is then the highest value since it shut."""
        return self.worst is not None

    def observe(self, value: float, now: float) -> None:
        """Take a value; `now` in seconds of a clock that never goes back."""
        if value > (self.limit if self.worst is None else self._low):
            self._busy_at = now
            self.worst = max(value, self.worst or value)
        elif self.worst is not None and now - self._busy_at >= CALM_S:
            self.worst = None
