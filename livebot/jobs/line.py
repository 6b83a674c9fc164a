"""How many wait and are being done, without asking the database more than once a second."""

import asyncio
from dataclasses import dataclass
from typing import Final

from livebot.store import contract
from livebot.store.records import EVERYTHING, Job, JobState

FRESH_S: Final = 1.0
"""So long an answer is good for everybody who asks."""

MOST: Final = 1000
"""Jobs that are looked at; further back, nobody needs to know the place exactly."""


@dataclass(frozen=True, slots=True)
class Health:
    """How jobs are.

    Attributes:
        workers: Jobs that this process works on at the same time.
        queued: Jobs that wait.
        processing: Jobs that are being done, by all processes.
        models: What is loaded.
    """

    workers: int
    queued: int
    processing: int
    models: tuple[str, ...]


class Line:
    """The line before the workers.

    Args:
        store: Where jobs are.
    """

    def __init__(self, store: contract.Jobs) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._places: dict[str, int] = {}
        self._waiting = self._processing = 0

    def forget(self) -> None:
        """Ask again next time: something has changed here."""
        self._asked_at = float("-inf")

    async def position(self, job: Job) -> int:
        """Return how many are before a job that waits."""
        await self._look()
        return self._places.get(job.id, len(self._places))

    async def counts(self) -> tuple[int, int]:
        """Return how many wait, and how many are being done."""
        await self._look()
        return self._waiting, self._processing

    async def _look(self) -> None:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now < self._asked_at + FRESH_S:
                return
            queued = await self._store.list(EVERYTHING, limit=MOST, state=JobState.QUEUED)
            processing = await self._store.list(EVERYTHING, limit=MOST, state=JobState.PROCESSING)
            ordered = sorted(queued, key=lambda job: job.created_at)
            self._places = {job.id: place for place, job in enumerate(ordered)}
            self._waiting = await self._store.count_waiting()
            self._processing = len(processing)
            self._asked_at = now
