"""A model that an engine host keeps warm."""

import asyncio
from dataclasses import dataclass

from livebot.stt.host.pool import WorkerPool


@dataclass(slots=True)
class Warm:
    """A model with its workers, in a task of its own.

    Attributes:
        ready: Its workers, once they are.
        turns: How many more files it may have in hand.
        users: Who holds it at present.
        keeping: Holds them; ends with them.
        going: Rings when nobody has for long enough.
    """

    ready: asyncio.Future[WorkerPool]
    turns: asyncio.Semaphore
    users: int = 0
    keeping: asyncio.Task[None] | None = None
    going: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        """Whether its workers are there."""
        ready = self.ready
        return ready.done() and not ready.cancelled() and ready.exception() is None

    def end(self) -> None:
        """Let them go, whether they are ready or not."""
        if self.going:
            self.going.cancel()
        if self.keeping:
            self.keeping.cancel()
