"""Standard input and output, whatever they are: pipes, files, sockets, a terminal.

The loop cannot wait for files, so threads read and write. They wait for nothing without also
waiting for being stopped, and never write more than a pipe takes at once.
"""

import asyncio
import os
import select
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

READ_BYTES = 65_536

MAX_UNREAD = 4 * 1024 * 1024
"""Bytes of answers that a client has not read: beyond, nothing more is taken from it."""

WATCH_S = 1.0
"""How soon it is seen that a client is gone to which there is nothing to say."""

_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes without waiting, where it takes any."""

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class _Thread:
    """One thread that waits for a descriptor, and for being stopped.

    Args:
        fd: Which.
        name: What the thread is called.
    """

    def __init__(self, fd: int, name: str) -> None:
        self.fd = fd
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._stop, self._stopper = os.pipe()

    async def read(self) -> bytes:
        """Return what there is; nothing at the end, or when it was stopped."""
        return await self._loop.run_in_executor(self._thread, self._read)

    async def write(self, data: bytes) -> bool:
        """Write all of it; say whether somebody takes it."""
        return await self._loop.run_in_executor(self._thread, self._write, data)

    def stop(self) -> None:
        """Let it wait no more, now and later; it may be called twice."""
        if self._stopper >= 0:
            os.close(self._stopper)
            self._stopper = -1

    async def close(self) -> None:
        """End the thread."""
        self.stop()
        await asyncio.to_thread(self._thread.shutdown)
        os.close(self._stop)

    def _read(self) -> bytes:
        try:
            return os.read(self.fd, READ_BYTES) if self._wait(select.POLLIN) else b""
        except OSError:
            return b""  # as good as the end

    def _write(self, data: bytes) -> bool:
        left = memoryview(data)
        try:
            while left and self._wait(select.POLLOUT):
                left = left[os.write(self.fd, left[:_AT_ONCE]) :]
        except OSError:
            pass  # below
        return not left

    def _wait(self, event: int) -> bool:
        """Wait until the descriptor can be used; say whether it is to be, or it was stopped."""
        poll = select.poll()
        poll.register(self.fd, event)
        poll.register(self._stop, 0)
        return self._stop not in {fd for fd, _ in poll.poll()}


class Input:
    """What a client says.

    Args:
        fd: Where.
    """

    def __init__(self, fd: int) -> None:
        self._thread = _Thread(fd, "daemon-input")

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield what comes until the end, or until `stop`."""
        while data := await self._thread.read():
            yield data

    def stop(self) -> None:
        """Read no more."""
        self._thread.stop()

    async def close(self) -> None:
        """Let go of it."""
        await self._thread.close()


class Output:
    """What a client is told, line by line. A context: on leaving, what waits is given up.

    Lines are always taken; whoever asks for `room()` before it takes on more work keeps what
    waits below `MAX_UNREAD` and the answers to what is under way.

    Args:
        fd: Where.

    Attributes:
        gone: Set when nobody reads any more.
        lost: Whether something was not read.
    """

    def __init__(self, fd: int) -> None:
        self._thread = _Thread(fd, "daemon-output")
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()
        self._room.set()
        self.gone = asyncio.Event()
        self.lost = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="daemon-output")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End it; nothing is written any more."""
        self._thread.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._thread.close()

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up."""
        return self._room.is_set()

    def put(self, line: bytes) -> None:
        """Say something; it is dropped where nobody listens any more."""
        if self.gone.is_set():
            self.lost = True
            return
        self._lines.append(line)
        self._size += len(line)
        if self._size > MAX_UNREAD:
            self._room.clear()
        self._idle.clear()
        self._news.set()

    async def room(self) -> None:
        """Wait until the client has read enough, or is gone."""
        await self._room.wait()

    async def flush(self) -> None:
        """Wait until all is written, or the client is gone."""
        await self._idle.wait()

    async def _run(self) -> None:
        while not self.gone.is_set():
            if not self._lines:
                await self._watch()
                continue
            block = b"".join(self._lines)
            self._lines.clear()
            if not await self._thread.write(block):
                self._leave()
            self._size -= len(block)
            self._settle()

    def _settle(self) -> None:
        if self._size <= MAX_UNREAD:
            self._room.set()
        if not self._lines:
            self._idle.set()

    async def _watch(self) -> None:
        """Wait for something to write; meanwhile see whether anybody is there to read it."""
        self._news.clear()
        try:
            async with asyncio.timeout(WATCH_S):
                await self._news.wait()
        except TimeoutError:
            poll = select.poll()
            poll.register(self._thread.fd, 0)
            if any(event & _GONE for _, event in poll.poll(0)):
                self._leave()

    def _leave(self) -> None:
        self.lost = self.lost or self._size > 0
        self._lines.clear()
        self._size = 0
        self._room.set()
        self._idle.set()
        self.gone.set()
