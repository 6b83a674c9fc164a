"""A loop on which waiting takes no time; for tests without sockets."""

import asyncio
import selectors


class _JumpSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, move the clock to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer once nothing is ready."""

    def __init__(self) -> None:
        self._jump = _JumpSelector()
        super().__init__(self._jump)

    def time(self) -> float:
        """Return seconds since the loop was made."""
        return self._jump.now
