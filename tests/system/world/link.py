"""A TCP connection that can be cut: a forwarder between the bot and a server.

A client of the signaling server whose socket is cut has 30 s to resume its session, in which
its media goes on; later it is a stranger and its media ends. A half-open socket is worse:
nothing comes and nothing is refused, as behind a router that has forgotten the connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

from tests.system.world.process import free_port

_PIECE = 65_536


class _State(Enum):
    OPEN = "open"
    SILENT = "silent"


class Link:
    """Forwards connections to a port of this machine; `link()` makes it.

    Args:
        target: The port.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._state = _State.OPEN
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        assert self._server is not None
        self._server.close()
        self._abort()

    def hush(self) -> None:
        """Swallow everything from now on, and accept new connections without a word."""
        self._state = _State.SILENT

    async def mend(self) -> None:
        """Forward new connections again; those that were hushed stay as they are."""
        self._state = _State.OPEN
        if self._server is None or not self._server.is_serving():
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Break every connection for good."""
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="link")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        self._writers.add(writer)
        try:
            there, forth = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(forth)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._forward(reader, forth))
                    group.create_task(self._forward(there, writer))
            finally:
                await self._drop(forth)
        except* OSError:
            pass
        finally:
            await self._drop(writer)

    async def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_dead = False
        while piece := await reader.read(_PIECE):
            # Where bytes are missing, no later ones make sense: what was hushed stays so.
            is_dead = is_dead or self._state is _State.SILENT
            if not is_dead:
                writer.write(piece)
                await writer.drain()
        raise ConnectionResetError  # ends the other direction as well


@asynccontextmanager
async def link(target: int) -> AsyncIterator[Link]:
    """Forward a new port to the port *target* of this machine."""
    found = Link(target)
    await found.mend()
    try:
        yield found
    finally:
        await found.close()
