"""A client of `/ws/transcribe` that keeps its audio and comes back; shares no code with livebot.

It plays raw 16-bit mono audio at the pace of speech, and notes every event by its number. Where
its connection is lost it comes back to its session: it asks for the events it has not, is told
from where on audio is missing, and sends that again.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

RETRY_S = 0.25

SAMPLE_BYTES = 2

REFUSED = 4400
"""From this code on, the same again is refused again; 4503 is not."""
BUSY = 4503


class RefusedError(Exception):
    """The service does not want this client; the message is its own."""


@dataclass
class LiveClient:
    """One client.

    Attributes:
        base: Of the service, like `http://127.0.0.1:8000`.
        audio: 16-bit mono samples.
        rate_hz: Of them.
        key: What it shows; empty for nothing.
        step_s: Length of a message.
        speed: How much faster than speech it sends.
        query: What else it declares.
        give_up_s: For how long it tries to come back.
        session: The session's name, once known.
        events: What it was told, by number.
        snapshots: What it was told in place of events.
        resumed: How often it came back.
        lost: How often its connection was lost.
        closed: How the service said goodbye.
        lateness: Seconds from sending the end of a final's audio to having it, for each final.
    """

    base: str
    audio: bytes
    rate_hz: int = 24_000
    key: str = ""
    step_s: float = 0.1
    speed: float = 1.0
    query: dict[str, str] = field(default_factory=dict)
    give_up_s: float = 60.0
    session: str = ""
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    positions: list[float] = field(default_factory=list)
    resumed: int = 0
    lost: int = 0
    closed: dict[str, Any] | None = None
    lateness: list[float] = field(default_factory=list)
    _sent_at: list[tuple[float, float]] = field(default_factory=list)
    _seq: int = 0
    _ws: aiohttp.ClientWebSocketResponse | None = None

    @property
    def finals(self) -> list[dict[str, Any]]:
        """Return the finals that it has, in order."""
        return [e for _, e in sorted(self.events.items()) if e["type"] == "final"]

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """Return the gaps that it was told of, in order."""
        return [e for _, e in sorted(self.events.items()) if e["type"] == "gap"]

    @property
    def text(self) -> str:
        """Return all that was said."""
        return " ".join(final["text"] for final in self.finals)

    @property
    def missing(self) -> list[int]:
        """Return the numbers up to the last one that it was not told."""
        return [seq for seq in range(1, self._seq + 1) if seq not in self.events]

    def cut(self) -> None:
        """Break the connection, without a goodbye."""
        if self._ws is not None and self._ws._writer.transport is not None:
            self._ws._writer.transport.abort()

    async def run(self) -> None:
        """Send all audio, ask for the last words, and return once they are there.

        Raises:
            RefusedError: The service does not want it.
            TimeoutError: The service did not come back.
        """
        deadline = time.monotonic() + self.give_up_s
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    await self._connect(http)
                    deadline = time.monotonic() + self.give_up_s
                except (aiohttp.ClientError, ConnectionError):
                    pass
                if self.is_done:
                    return
                self.closed = None
                self.lost += 1
                if time.monotonic() > deadline:
                    raise TimeoutError("the service did not come back")
                await asyncio.sleep(RETRY_S)

    @property
    def is_done(self) -> bool:
        """Return whether all was said."""
        return self.closed is not None and self.closed["reason"] != "restart"

    def _url(self) -> str:
        asked = {"encoding": "pcm_s16le", "rate": str(self.rate_hz), **self.query}
        if self.session:
            asked = {"session": self.session, "after": str(self._seq)}
        return f"{self.base}/ws/transcribe?{urlencode(asked)}"

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        async with http.ws_connect(self._url(), headers=headers, max_msg_size=0) as ws:
            self._ws = ws
            ready = await ws.receive()
            if ready.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError("no welcome")
            told = json.loads(ready.data)
            if told["type"] == "error":
                self._refused(told, ws.close_code)
                return
            self.resumed += bool(self.session)
            self.session = told["session"]
            self.positions.append(told["position"])
            sending = asyncio.create_task(self._send(ws, told["position"]))
            try:
                await self._listen(ws)
            finally:
                sending.cancel()
                await asyncio.wait([sending])

    async def _send(self, ws: aiohttp.ClientWebSocketResponse, position: float) -> None:
        at = round(position * self.rate_hz) * SAMPLE_BYTES
        size = round(self.step_s * self.rate_hz) * SAMPLE_BYTES
        begun = time.monotonic()
        await ws.send_str(json.dumps({"type": "position", "seconds": position}))
        first = at
        try:
            while at < len(self.audio):
                await ws.send_bytes(self.audio[at : at + size])
                at += size
                seconds = at / SAMPLE_BYTES / self.rate_hz
                self._sent_at.append((seconds, time.monotonic()))
                ahead_s = (at - first) / SAMPLE_BYTES / self.rate_hz / self.speed
                await asyncio.sleep(max(0.0, begun + ahead_s - time.monotonic()))
            await ws.send_str(json.dumps({"type": "close"}))
        except (aiohttp.ClientError, ConnectionError):
            pass  # who listens notices

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._note(json.loads(message.data), ws.close_code)

    def _note(self, told: dict[str, Any], code: int | None) -> None:
        match told["type"]:
            case "closed":
                self.closed = told
            case "error":
                self._refused(told, code)
            case "snapshot":
                self.snapshots.append(told)
                self._seq = told["seq"]
            case kind:
                assert told["seq"] == self._seq + 1, (told["seq"], self._seq)
                self._seq = told["seq"]
                self.events[self._seq] = told
                if kind == "final":
                    self._time(told["end"])

    def _time(self, end: float) -> None:
        sent = next((at for position, at in self._sent_at if position >= end), None)
        if sent is not None:
            self.lateness.append(time.monotonic() - sent)

    def _refused(self, told: dict[str, Any], code: int | None) -> None:
        if told["code"] == "busy":
            raise ConnectionError(told["message"])
        raise RefusedError(f"{told['code']} ({code}): {told['message']}")
