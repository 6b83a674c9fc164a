"""Where the samples on stdin come from, until they end or somebody has heard enough."""

import asyncio
import math
import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from livebot.errors import RecordingError

_BLOCK = 1 << 14
"""Bytes at a time at most: half a second of 16-bit samples at 16 kHz."""


QUIET_S = 0.2
"""Once nobody listens any more, a pipe that gives nothing for so long has nothing more in it."""

LAST_S = 0.5
"""Whoever goes on writing is heard no longer than this."""


async def stdin_blocks() -> AsyncGenerator[bytes]:
    """Yield what comes on stdin, as it comes.

    Raises:
        RecordingError: It cannot be read.
    """
    number = sys.stdin.fileno()
    mode = os.fstat(number).st_mode
    blocks = _piped() if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else _read(number)
    try:
        async with aclosing(blocks) as found:
            async for block in found:
                yield block
    except OSError as exc:
        raise RecordingError(f"stdin cannot be read ({exc.strerror}): check the pipe") from exc


async def _piped() -> AsyncGenerator[bytes]:
    """Wait for what a pipe brings, without a thread that nobody could call back."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_BLOCK)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    )
    try:
        # Without a deadline: who speaks may be silent.
        while block := await reader.read(_BLOCK):
            yield block
    finally:
        transport.close()


async def _read(number: int) -> AsyncGenerator[bytes]:
    """Read a file or a device, which never wait for long."""
    while block := await asyncio.to_thread(os.read, number, _BLOCK):
        yield block


async def until(stop: asyncio.Event, blocks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield blocks until they end, or until `stop` is set and what was on its way has come."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.create_task(stop.wait(), name="listen-stop")
    upcoming: asyncio.Future[bytes] | None = None
    deadline = math.inf
    try:
        while loop.time() < deadline:
            upcoming = asyncio.ensure_future(_next(blocks))
            await asyncio.wait([upcoming, stopping], return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                deadline = min(deadline, loop.time() + LAST_S)
                await asyncio.wait([upcoming], timeout=QUIET_S)
            if not upcoming.done() or not (block := upcoming.result()):
                return
            yield block
    finally:
        left = [task for task in (stopping, upcoming) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _next(blocks: AsyncGenerator[bytes]) -> bytes:
    """Return the next block; nothing at the end."""
    return await anext(blocks, b"")
