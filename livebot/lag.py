"""How late the event loop is: one timer that notes by how much it was woken too late."""

import asyncio
from collections.abc import Callable

EVERY_S = 0.02


async def watch(on_lag: Callable[[float], None]) -> None:
    """Report the lag in seconds, fifty times a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        on_lag(max(0.0, loop.time() - due))
