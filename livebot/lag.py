"""How the event loop does: how late it is, and how many tasks it has."""

import asyncio
from collections.abc import Callable

EVERY_S = 0.02
TASKS_EVERY_S = 1.0


async def watch(on_lag: Callable[[float], None]) -> None:
    """Report by how many seconds a timer was woken late, fifty times a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        on_lag(max(0.0, loop.time() - due))


async def count(on_count: Callable[[int], None]) -> None:
    """Report how many tasks there are, once a second, until cancelled."""
    while True:
        on_count(len(asyncio.all_tasks()))
        await asyncio.sleep(TASKS_EVERY_S)
