"""How late this process is: where it is, what was measured says little about the bot."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_EVERY_S = 0.05


@dataclass(slots=True)
class Lateness:
    """What was seen so far: the worst, in seconds."""

    worst_s: float = 0.0


@asynccontextmanager
async def lateness() -> AsyncIterator[Lateness]:
    """Watch this process's event loop meanwhile."""
    seen = Lateness()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_watch(seen), name="lateness")
        yield seen
        task.cancel()


async def _watch(seen: Lateness) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_EVERY_S)
        seen.worst_s = max(seen.worst_s, time.monotonic() - before - _EVERY_S)
