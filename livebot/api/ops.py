"""What operators ask: is it alive, can it take more, how is it doing, which languages."""

import asyncio
import resource
import time
from contextlib import suppress

import psutil
from aiohttp import web

from livebot.api import schemas
from livebot.api.service import RoomService
from livebot.metrics import CONTENT_TYPE, Metrics
from livebot.rooms.status import HealthStatus

_MEBIBYTE = 1 << 20

MEMORY_WAIT_S = 0.05
"""Health is answered within 100 ms, even where slow name look-ups keep all threads busy."""


class Ops:
    """The routes for operators.

    Args:
        rooms: Whose health is asked for.
        metrics: What is shown at `/metrics`.
    """

    def __init__(self, rooms: RoomService, metrics: Metrics) -> None:
        self._rooms = rooms
        self._metrics = metrics
        # The peak, in KiB: good enough until the first reading.
        self._memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def routes(self) -> list[web.RouteDef]:
        """Return what to add to an application."""
        return [
            web.get("/healthz", self._health),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._show_metrics),
            web.get("/api/v1/languages", self._languages),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        health = self._rooms.health()
        await self._measure()
        body = schemas.health(health, memory_mb=self._memory_mb, now=time.time())
        return web.json_response(
            body, status=503 if health.status is HealthStatus.UNHEALTHY else 200
        )

    async def _ready(self, _: web.Request) -> web.Response:
        reasons = list(self._rooms.obstacles)
        body = {"ready": not reasons, "reasons": reasons}
        return web.json_response(body, status=503 if reasons else 200)

    async def _show_metrics(self, _: web.Request) -> web.Response:
        self._metrics.can_accept.set(not self._rooms.obstacles)
        # The process metrics read /proc, so not on the loop.
        body = await asyncio.to_thread(self._metrics.render)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _languages(self, _: web.Request) -> web.Response:
        return web.json_response(schemas.languages(self._rooms.languages))

    async def _measure(self) -> None:
        """Read the process's memory, or keep the last reading."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MEMORY_WAIT_S):
                self._memory_mb = await asyncio.to_thread(_resident_mb)


def _resident_mb() -> float:
    """Return the memory of this process; reads a file."""
    return float(psutil.Process().memory_info().rss) / _MEBIBYTE
