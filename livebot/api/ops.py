"""What operators ask: is it alive, can it take more, how is it doing."""

import asyncio
import resource
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

import psutil
from aiohttp import web

from livebot.api import schemas
from livebot.api.auth import observer
from livebot.api.backends import Backends
from livebot.api.replies import reply
from livebot.api.routes import Access, Handler, Route
from livebot.metrics import CONTENT_TYPE, Metrics
from livebot.rooms.status import HealthStatus

_MEBIBYTE = 1 << 20

MEMORY_WAIT_S = 0.05
"""Health is answered within 100 ms, even where slow name look-ups keep all threads busy."""


class Ops:
    """The routes for operators; they are about all backends together.

    Why a backend is not well is told to its callers, and on this machine: rooms, engines and
    hosts are in it, and strangers may ask too.

    Args:
        backends: Whose health is asked for.
        metrics: What is shown at `/metrics`.
        troubles: Asked what is wrong besides calls.
    """

    def __init__(
        self,
        backends: Backends,
        metrics: Metrics,
        troubles: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._backends = backends
        self._troubles = troubles
        self._metrics = metrics
        # The peak, in KiB: good enough until the first reading.
        self._memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            _get(
                "/healthz",
                self._health,
                Access.OPEN,
                "Say how the service is doing",
                {200: schemas.Health, 503: schemas.Health},
            ),
            _get(
                "/readyz",
                self._ready,
                Access.OPEN,
                "Say whether another room would be taken",
                {200: schemas.Readiness, 503: schemas.Readiness},
            ),
            _get(
                "/metrics",
                self._show_metrics,
                Access.OBSERVER,
                "Show figures as Prometheus reads them",
                {200: None},
            ),
        ]

    async def _health(self, request: web.Request) -> web.Response:
        told = self._backends.observed(request)
        found = {name: its.rooms.health() for name, its in self._backends.all.items()}
        found |= {
            name: replace(its, reasons=()) for name, its in found.items() if name not in told
        }
        await self._measure()
        body = schemas.health(
            found,
            memory_mb=self._memory_mb,
            now=time.time(),
            troubles=self._troubles(),
            are_told=observer(request) is not None,
        )
        return reply(body, status=503 if body.status is HealthStatus.UNHEALTHY else 200)

    async def _ready(self, request: web.Request) -> web.Response:
        body = self._readiness(self._backends.observed(request))
        return reply(body, status=200 if body.ready else 503)

    async def _show_metrics(self, _: web.Request) -> web.Response:
        self._metrics.can_accept.set(self._readiness().ready)
        # The process metrics read /proc, so not on the loop.
        body = await asyncio.to_thread(self._metrics.render)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    def _readiness(self, told: Collection[str] = ()) -> schemas.Readiness:
        obstacles = {name: its.rooms.obstacles for name, its in self._backends.all.items()}
        return schemas.readiness(obstacles, told=told)

    async def _measure(self) -> None:
        """Read the process's memory, or keep the last reading."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MEMORY_WAIT_S):
                self._memory_mb = await asyncio.to_thread(_resident_mb)


def _get(
    path: str, handler: Handler, access: Access, summary: str, answers: dict[int, object]
) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        access=access,
        summary=summary,
        answers=answers,
    )


def _resident_mb() -> float:
    """Return the memory of this process; reads a file."""
    return float(psutil.Process().memory_info().rss) / _MEBIBYTE
