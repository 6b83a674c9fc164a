"""A signaling server for tests that does what it is told: real sockets, no media.

It says hello, joins rooms and keeps sessions for resuming; a test drops or freezes sockets,
sends any text, and looks at what arrived.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

MAX_SIZE = 64 * 1024
"""As the real one."""


@dataclass(slots=True)
class ScriptedServer:
    """What a test holds of the server; `received` grows with each message."""

    port: int = 0
    resumable: bool = True
    hello_error: str = ""
    answers_hello: bool = True
    received: list[dict[str, Any]] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _sessions: int = 0

    @property
    def url(self) -> str:
        """The address to connect to."""
        return f"ws://127.0.0.1:{self.port}/spreed"

    async def wait_for(self, kind: str, count: int = 1, deadline_s: float = 5.0) -> dict[str, Any]:
        """Wait until `count` messages of a kind (type, or type of `data`) have come."""
        async with asyncio.timeout(deadline_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a kind, so far."""
        return [
            m
            for m in self.received
            if kind in (m["type"], m.get("message", {}).get("data", {}).get("type"))
        ]

    async def send(self, text: str) -> None:
        """Send on the newest socket."""
        await self.connections[-1].send(text)

    async def drop(self) -> None:
        """Cut the newest socket without a word."""
        self.connections[-1].transport.abort()
        await self.connections[-1].wait_closed()

    def freeze(self) -> None:
        """Let the newest socket stay open and never be read again: no pong, a full window."""
        self.connections[-1].transport.pause_reading()

    async def handle(self, ws: ServerConnection) -> None:
        """Serve one socket."""
        self.connections.append(ws)
        await ws.send('{"type":"welcome","welcome":{"features":["mcu"],"version":"test"}}')
        with suppress(ConnectionClosed):
            await self._converse(ws)

    async def _converse(self, ws: ServerConnection) -> None:
        async for text in ws:
            message = json.loads(text)
            if (answer := self._answer(message)) is not None:
                await ws.send(json.dumps({"id": message["id"], **answer}))
            async with self._arrived:
                self.received.append(message)
                self._arrived.notify_all()
            if message["type"] == "bye":
                return

    def _answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        match message:
            case {"type": "hello", "hello": hello}:
                return self._answer_hello(hello) if self.answers_hello else None
            case {"type": "room", "room": {"roomid": token}}:
                return {"type": "room", "room": {"roomid": token}}
            case {"type": "bye"}:
                return {"type": "bye"}
            case _:
                return None

    def _answer_hello(self, hello: dict[str, Any]) -> dict[str, Any]:
        if "resumeid" in hello and not self.resumable:
            return {"type": "error", "error": {"code": "no_such_session"}}
        if self.hello_error:
            return {"type": "error", "error": {"code": self.hello_error}}
        self._sessions += "resumeid" not in hello
        body = {"sessionid": f"bot-{self._sessions}", "resumeid": f"r-{self._sessions}"}
        server = {"version": "test", "features": ["mcu"]}
        return {"type": "hello", "hello": {**body, "server": server}}


@asynccontextmanager
async def scripted_server(
    *, port: int = 0, max_size: int = MAX_SIZE
) -> AsyncIterator[ScriptedServer]:
    """Serve on the loopback interface.

    Args:
        port: Where; 0 for a free one.
        max_size: A longer message ends its connection with 1009.
    """
    server = ScriptedServer()
    async with serve(
        server.handle,
        "127.0.0.1",
        port,
        close_timeout=0.5,
        max_size=max_size,
        ping_interval=None,
        reuse_address=True,
    ) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server
        for ws in server.connections:
            ws.transport.abort()
