"""moshi-server, as protocols.md 4.2 describes it; shares no code with livebot.

Faults are fields: set them before the client comes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import numpy as np
import ormsgpack
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.tone_model import PAUSE, Stepped, ToneModel

KINDS = {"Init": set[str](), "Marker": {"id"}, "Audio": {"pcm"}, "OggOpus": {"data"}}


@dataclass
class MoshiDouble:
    """What the server does, and what it saw.

    Attributes:
        key: The one id of `authorized_ids`.
        slots: How many channels there are.
        statuses: HTTP answers to the next upgrades, in turn; None lets one through.
        ready_after_s: How long the model warms up before it says `Ready`.
        batched: Whether it says `Ready` at all.
        heads: Whether the model tells pauses.
        delay: The model's delay, in steps.
        fail_after: Say `Error` after so many steps ...
        failure: ... with this message.
        close_after_marker: Close the channel once a marker has gone back.
        ping_after_s: How long it may be silent before it pings.
        deaf: Take audio and never step.
        raw: Send these first.
        port: Where it listens.
        upgrades: How many upgrades were asked for.
        received: The kinds of messages, without audio, that were received.
        markers: How many markers went back.
        pongs: How many of its pings were answered.
        dropped: Why channels were dropped.
    """

    key: str = "public_token"
    slots: int = 64
    statuses: list[HTTPStatus | None] = field(default_factory=list)
    ready_after_s: float = 0.0
    batched: bool = True
    heads: bool = True
    delay: int = 6
    fail_after: int | None = None
    failure: str = "device lost"
    close_after_marker: bool = False
    ping_after_s: float = 10.0
    deaf: bool = False
    raw: list[str | bytes] = field(default_factory=list)
    port: int = 0
    upgrades: int = 0
    received: list[str] = field(default_factory=list)
    markers: int = 0
    pongs: int = 0
    dropped: list[str] = field(default_factory=list)
    _open: int = 0

    @property
    def url(self) -> str:
        """The server's address, without the path."""
        return f"ws://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["MoshiDouble"]:
        """Listen on a free port."""
        async with serve(
            self._socket,
            "127.0.0.1",
            0,
            process_request=self._admit,
            ping_interval=None,
            close_timeout=0.5,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    def _admit(self, ws: ServerConnection, request: Request) -> Response | None:
        self.upgrades += 1
        if self.statuses and (status := self.statuses.pop(0)) is not None:
            return ws.respond(status, "")
        path, _, query = request.path.partition("?")
        if path != "/api/asr-streaming":
            return ws.respond(HTTPStatus.NOT_FOUND, "")
        if request.headers.get("kyutai-api-key") != self.key and query != f"auth_id={self.key}":
            return ws.respond(HTTPStatus.UNAUTHORIZED, "")
        return None

    async def _socket(self, ws: ServerConnection) -> None:
        if self._open >= self.slots:
            await _say(ws, type="Error", message="no free channels")
            return
        self._open += 1
        try:
            async with asyncio.TaskGroup() as group:
                channel = _Channel(self, ws)
                helpers = [group.create_task(channel.step()), group.create_task(channel.ping())]
                await channel.receive()
                for helper in helpers:
                    helper.cancel()
        except* ConnectionClosed:
            pass
        finally:
            self._open -= 1


async def _say(ws: ServerConnection, **message: object) -> None:
    await ws.send(ormsgpack.packb(message))


class _Channel:
    """One client: what it sends is queued, and the model steps while there is audio."""

    def __init__(self, server: MoshiDouble, ws: ServerConnection) -> None:
        self._server = server
        self._ws = ws
        self._model = ToneModel(server.delay)
        self._inbox: asyncio.Queue[dict[str, object]] = asyncio.Queue(10_000)
        self._said_at = asyncio.get_running_loop().time()
        self._steps = 0
        self._due: list[tuple[int, object]] = []

    async def receive(self) -> None:
        """Queue messages until one is not of the protocol: then the socket is dropped."""
        try:
            async for data in self._ws:
                if isinstance(data, str):
                    continue
                message = self._decode(data)
                if message is None:
                    self._drop("undecodable")
                    return
                if not self._server.batched and message.get("pcm") == []:
                    self._drop("empty")  # it makes a tensor of what comes, whatever its length
                    return
                if message["type"] != "Audio":
                    self._server.received.append(str(message["type"]))
                await self._inbox.put(message)
        except ConnectionClosed:
            return

    def _drop(self, reason: str) -> None:
        self._server.dropped.append(reason)
        self._ws.transport.abort()

    @staticmethod
    def _decode(data: bytes) -> dict[str, object] | None:
        try:
            message = ormsgpack.unpackb(data)
        except ormsgpack.MsgpackDecodeError:
            return None
        if not isinstance(message, dict) or message.get("type") not in KINDS:
            return None
        return message if KINDS[message["type"]] <= set(message) else None

    async def step(self) -> None:
        """Be the model's loop."""
        for raw in self._server.raw:
            await self._ws.send(raw)
        await asyncio.sleep(self._server.ready_after_s)
        if self._server.batched:
            await self._out(type="Ready")
        while True:
            message = await self._inbox.get()
            if self._server.deaf:
                continue
            if message["type"] == "Marker":
                # All audio before it is taken already; the delay is counted in steps,
                # and steps only happen while there is more.
                self._due.append((self._steps + self._server.delay, message["id"]))
            if message["type"] == "Audio":
                for stepped in self._model.feed(np.array(message["pcm"], np.float32)):
                    await self._stepped(stepped)

    async def _stepped(self, stepped: Stepped) -> None:
        self._steps += 1
        for heard in stepped.words:
            await self._out(type="Word", text=heard.text, start_time=heard.start_s)
            await self._out(type="EndWord", stop_time=heard.stop_s)
        if self._server.heads:
            sure = 0.9 if stepped.quiet >= PAUSE - self._server.delay else 0.05
            prs = [sure, sure, sure, sure / 2]
            await self._out(type="Step", step_idx=self._steps, prs=prs, buffered_pcm=0)
        if self._server.fail_after == self._steps:
            await self._out(type="Error", message=self._server.failure)
        for due, marker in [d for d in self._due if d[0] <= self._steps]:
            self._due.remove((due, marker))
            self._server.markers += 1
            await self._out(type="Marker", id=marker)
            if self._server.close_after_marker:
                await self._ws.close()

    async def ping(self) -> None:
        """Ping whenever nothing was said for a while."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, self._said_at + self._server.ping_after_s - loop.time()))
            if loop.time() >= self._said_at + self._server.ping_after_s:
                self._said_at = loop.time()
                await (await self._ws.ping())
                self._server.pongs += 1

    async def _out(self, **message: object) -> None:
        self._said_at = asyncio.get_running_loop().time()
        await _say(self._ws, **message)
