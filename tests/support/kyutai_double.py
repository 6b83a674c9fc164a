"""The Kyutai service on Modal, as protocols.md 4.1 describes it; shares no code with livebot.

Faults are fields: set them before the client comes.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from livebot.audio.pcm import Samples
from tests.support.tone_model import Stepped, ToneModel


class Model(Protocol):
    """What hears one stream."""

    def feed(self, samples: Samples) -> list[Stepped]:
        """Hear some more."""


@dataclass
class KyutaiDouble:
    """What the service does, and what it saw.

    Attributes:
        dialect: `rust`, `python` or `documented`.
        key: What `Modal-Key` must be; empty for no check.
        secret: What `Modal-Secret` must be.
        statuses: HTTP answers to the next upgrades, in turn; None lets one through.
        cold_start_s: How long an upgrade takes.
        close_at_once: Accept, then close with 1000, as when no channel is free.
        close_after: Close after so many words ...
        close_code: ... with this code.
        idle_s: Close with 1000 after so long without audio.
        ping_every_s: How often the python dialect says `ping`.
        message_s: How long each message takes to be understood; no more are read meanwhile.
        raw: Send these first.
        model: Makes what hears each stream.
        port: Where it listens.
        upgrades: How many upgrades were asked for.
        extensions: What WebSocket extensions the last upgrade offered.
        left: Set once a client has gone.
        samples: How many samples each stream has sent, in order of opening.
    """

    dialect: str = "rust"
    key: str = ""
    secret: str = ""
    statuses: list[HTTPStatus | None] = field(default_factory=list)
    cold_start_s: float = 0.0
    close_at_once: bool = False
    close_after: int | None = None
    close_code: int = 1000
    idle_s: float = 30.0
    ping_every_s: float = 10.0
    message_s: float = 0.0
    raw: list[str | bytes] = field(default_factory=list)
    model: Callable[[], Model] = ToneModel
    port: int = 0
    upgrades: int = 0
    extensions: str | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    samples: list[int] = field(default_factory=list)
    _scheme: str = "ws"

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"{self._scheme}://127.0.0.1:{self.port}/v1/stream"

    @asynccontextmanager
    async def serve(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["KyutaiDouble"]:
        """Listen, on a free port unless one is given, encrypted if there is a context for it."""
        self._scheme = "wss" if tls else "ws"
        async with serve(
            self._stream,
            "127.0.0.1",
            port,
            ssl=tls,
            process_request=self._admit,
            close_timeout=0.5,
            max_queue=8,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    async def _admit(self, ws: ServerConnection, request: Request) -> Response | None:
        self.upgrades += 1
        self.extensions = request.headers.get("Sec-WebSocket-Extensions")
        await asyncio.sleep(self.cold_start_s)
        if self.statuses and (status := self.statuses.pop(0)) is not None:
            headers = {"Location": "ws://127.0.0.1:1/"} if 300 <= status < 400 else {}
            response = ws.respond(status, "")
            response.headers.update(headers)
            return response
        sent = request.headers.get("Modal-Key", ""), request.headers.get("Modal-Secret", "")
        if self.key and sent != (self.key, self.secret):
            return ws.respond(HTTPStatus.UNAUTHORIZED, "modal-http: invalid credentials")
        if request.path != "/v1/stream":
            return ws.respond(HTTPStatus.NOT_FOUND, "")
        return None

    async def _stream(self, ws: ServerConnection) -> None:
        if self.close_at_once:
            return
        for message in self.raw:
            await ws.send(message)
        async with asyncio.TaskGroup() as group:
            ping = group.create_task(self._ping(ws))
            try:
                await self._hear(ws)
            except (ConnectionClosed, TimeoutError):
                pass
            finally:
                ping.cancel()
                self.left.set()

    async def _ping(self, ws: ServerConnection) -> None:
        while self.dialect != "rust":
            await asyncio.sleep(self.ping_every_s)
            await ws.send(json.dumps({"type": "ping"}))

    async def _hear(self, ws: ServerConnection) -> None:
        model, words = self.model(), 0
        stream = len(self.samples)
        self.samples.append(0)
        while True:
            async with asyncio.timeout(self.idle_s):
                data = await ws.recv()
            assert isinstance(data, bytes), "text frames from the client are not expected"
            samples = np.frombuffer(data, np.float32)
            self.samples[stream] += len(samples)
            await asyncio.sleep(self.message_s)
            for step in model.feed(samples):
                for message in self._messages(step):
                    await ws.send(json.dumps(message))
                words += len(step.words)
                if self.close_after is not None and words >= self.close_after:
                    await ws.close(self.close_code)
                    return

    def _messages(self, step: Stepped) -> list[dict[str, object]]:
        """Return what is said of one step, in this dialect."""
        messages: list[dict[str, object]] = []
        for heard in step.words:
            match self.dialect:
                case "rust":
                    messages.append({"type": "token", "text": heard.text})
                case "python":  # pieces: the first has the space, the others have not
                    messages.append({"type": "token", "text": f" {heard.text[:2]}"})
                    messages.append({"type": "token", "text": heard.text[2:]})
                case _:
                    messages.append({"text": f" {heard.text}", "final": False, "vad_end": False})
        if step.is_pause and self.dialect == "python":
            messages.append({"type": "vad_end"})
        if step.is_pause and self.dialect == "documented":
            messages.append({"text": "", "final": True, "vad_end": True})
        return messages
