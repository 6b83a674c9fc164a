"""Servers that end and come back."""

import asyncio

from tests.system.world.process import Process, WorldError, listens

_POLL_S = 0.05
_UP_WITHIN_S = 30.0


async def end(process: Process, *, politely: bool) -> None:
    """End a server by SIGTERM or SIGKILL."""
    if politely:
        await asyncio.to_thread(process.stop)
    else:
        await asyncio.to_thread(process.kill)


async def back(process: Process, port: int) -> None:
    """Start a server again that has ended, and wait until it listens.

    Raises:
        WorldError: It does not.
    """
    process.start()
    try:
        async with asyncio.timeout(_UP_WITHIN_S):
            while not listens(port)():  # noqa: ASYNC110 - asked of another process
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise WorldError(f"{process.name} does not come back:\n{process.tail()}") from None
