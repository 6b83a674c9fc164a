"""One process at a time downloads a model; the others wait for it, as long as it gets on."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livebot.errors import EngineError

_LOOK_S = 0.2


@asynccontextmanager
async def only_one(folder: Path, *, stall_s: float) -> AsyncIterator[None]:
    """Be the only one in `folder`; leaving, or the end of the process, lets the next one in.

    Args:
        folder: Exists.
        stall_s: How long the one before may do nothing that shows in it.

    Raises:
        EngineError: It does not get on.
    """
    file = await asyncio.to_thread(_open, folder)
    try:
        await _wait(file, folder, stall_s)
        yield
    finally:
        # Closing lets go of it. The file stays: who waits has it open already.
        await asyncio.shield(asyncio.to_thread(os.close, file))


async def _wait(file: int, folder: Path, stall_s: float) -> None:
    loop = asyncio.get_running_loop()
    seen, since = 0, loop.time()
    while not await asyncio.to_thread(_take, file):
        size = await asyncio.to_thread(_size, folder)
        if size != seen:
            seen, since = size, loop.time()
        elif loop.time() - since > stall_s:
            raise EngineError(
                f"another process has been downloading to {folder} and does not get on: end it, "
                "or wait",
                retryable=True,
            )
        await asyncio.sleep(_LOOK_S)


def _open(folder: Path) -> int:
    return os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _size(folder: Path) -> int:
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # it has just got its name
    return total
