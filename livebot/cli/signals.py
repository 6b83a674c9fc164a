"""Running a command until it is done or told to stop."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine

from livebot.cli.codes import OF_SIGNAL

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[None, None, int], on_first: Callable[[], None] | None = None) -> int:
    """Run a coroutine and return its exit code, or that of the signal that cancelled it.

    Once cancelled it has until the next signal to tidy up; that one ends the process at once.

    Args:
        work: What to do.
        on_first: Called at the first signal, instead of cancelling; the second then cancels.
    """
    return asyncio.run(_run(work, on_first))


async def _run(work: Coroutine[None, None, int], on_first: Callable[[], None] | None) -> int:
    task = asyncio.create_task(work, name="command")
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        if len(caught) == 1 and on_first is not None:
            on_first()
        elif not task.cancelling():
            task.cancel()
        else:
            os._exit(OF_SIGNAL + number)

    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return OF_SIGNAL + caught[-1]
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)


async def stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
