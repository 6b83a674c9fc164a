"""A bad speech service: a WebSocket proxy in front of `livebot stt-server`.

What real ones do: a busy one takes audio more slowly than it is spoken, and the container
behind Modal's gateway ends streams with code 1000 whatever the reason.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from livebot.audio.pcm import RATE_HZ
from livebot.stt import wire
from tests.system.world.process import free_port

_LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class SttProxy:
    """The proxy; `stt_proxy()` makes it.

    Attributes:
        target: The server's address.
        port: Where it listens.
        slowness: How long a second of audio takes.
        closes_after_s: How long a stream may live.
    """

    target: str
    port: int
    slowness: float = 0.0
    closes_after_s: float | None = None

    @property
    def url(self) -> str:
        """Return what an administrator would write into `STT_STREAM_URL`."""
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    async def serve(self, bot: ServerConnection) -> None:
        """Carry one stream."""
        try:
            async with connect(self.target, proxy=None) as server, asyncio.TaskGroup() as group:
                group.create_task(self._limit(bot), name="limit")
                group.create_task(self._audio(bot, server), name="audio")
                group.create_task(self._words(server, bot), name="words")
        except* (ConnectionClosed, InvalidHandshake, OSError):
            pass

    async def _limit(self, bot: ServerConnection) -> None:
        while True:
            await asyncio.sleep(self.closes_after_s or _LOOK_EVERY_S)
            if self.closes_after_s is not None:
                await bot.close(1000)

    async def _audio(self, bot: ServerConnection, server: ClientConnection) -> None:
        async for message in bot:
            if self.slowness:
                await asyncio.sleep(self.slowness * _seconds(message))
            await server.send(message)
        await server.close()
        raise ConnectionClosed(None, None)

    async def _words(self, server: ClientConnection, bot: ServerConnection) -> None:
        async for message in server:
            await bot.send(message)
        await bot.close()
        raise ConnectionClosed(None, None)


def _seconds(message: str | bytes) -> float:
    return len(wire.decode_audio(message)) / RATE_HZ if isinstance(message, bytes) else 0.0


@asynccontextmanager
async def stt_proxy(target: str) -> AsyncIterator[SttProxy]:
    """Stand in front of the server at *target*."""
    proxy = SttProxy(target, free_port())
    # A busy service reads little ahead.
    async with serve(proxy.serve, "127.0.0.1", proxy.port, max_queue=4):
        yield proxy
