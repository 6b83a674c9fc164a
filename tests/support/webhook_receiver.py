"""Somebody who is told that jobs are over."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Told:
    """One request: its body, the same as bytes, and its headers."""

    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str]

    def is_signed(self, secret: str) -> bool:
        """Say whether the signature is right, as a receiver would find out."""
        stamp, mark = (
            part.partition("=") for part in self.headers["Livebot-Signature"].split(",")
        )
        signed = hmac.new(secret.encode(), f"{stamp[2]}.".encode() + self.raw, hashlib.sha256)
        return (stamp[0], mark[0]) == ("t", "v1") and mark[2] == signed.hexdigest()


@dataclass(slots=True)
class Receiver:
    """See above.

    Attributes:
        url: Where it listens.
        told: What it was told, in order.
        answers: What it answers to the first ones; 200 later. `Location` leads nowhere.
    """

    url: str = ""
    told: list[Told] = field(default_factory=list)
    answers: Sequence[int] = ()
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for(self, count: int, within_s: float = 60.0) -> None:
        """Wait until it was told so often."""
        async with asyncio.timeout(within_s):
            while len(self.told) < count:
                self._changed.clear()
                await self._changed.wait()

    async def take(self, request: web.Request) -> web.Response:
        """Be told."""
        raw = await request.read()
        self.told.append(Told(await request.json(), raw, dict(request.headers)))
        self._changed.set()
        at = len(self.told) - 1
        status = self.answers[at] if at < len(self.answers) else 200
        return web.Response(status=status, headers={"Location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def receiver(*answers: int) -> AsyncIterator[Receiver]:
    """Run one on this machine."""
    found = Receiver(answers=answers)
    app = web.Application()
    app.router.add_post("/{any:.*}", found.take)
    app.router.add_get("/{any:.*}", found.take)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/done"
    try:
        yield found
    finally:
        await runner.cleanup()
