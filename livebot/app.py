"""The composition root: settings in, running service out; the only file that builds things."""

import asyncio
import gc
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import FrameType
from typing import Self

import structlog

from livebot import __version__, lag, logs
from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.backends import Backends
from livebot.feeds.directory import Feeds
from livebot.metrics import Metrics
from livebot.overload import Overload, memory
from livebot.rooms.manager import RoomManager
from livebot.services import open_services, open_store
from livebot.settings import Settings

log = structlog.get_logger("app")

DRAIN_S = 10.0
"""How long stopping may take: the last words (5 s), their sending, and the byes."""

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class App:
    """The service, from entering to leaving the context.

    Args:
        settings: All of them; those a call needs included.

    Raises:
        ConfigError: (on entering) The settings do not suffice.
        EngineError: (on entering) No engine can be started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self.metrics = Metrics()
        self._backends: Backends
        self._services: Services
        self.port = 0

    async def __aenter__(self) -> Self:
        """Start the engines, the rooms' homes and the HTTP server, in this order."""
        settings = self._settings
        settings.require_call()
        for name, backend in settings.per_backend().items():
            if settings.calls == "on" and backend.backend_derived:
                cure = "set NEXTCLOUD_URL"
                log.warning("backend_derived", name=name, backend=backend.backend_url, cure=cure)
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            overload = await self._overload()
            feeds = Feeds()
            store = await enter(open_store(settings, self.metrics))
            kept = None if isinstance(store, str) else store
            backends = Backends(settings, self.metrics, overload, feeds=feeds, store=kept)
            self._backends = await enter(backends)
            self._services = await enter(
                open_services(
                    settings,
                    engine=await backends.engine(),
                    feeds=feeds,
                    store=store,
                    metrics=self.metrics,
                    overload=lambda: overload.reasons,
                )
            )
            web = make_app(
                backends.rooms,
                settings,
                self.metrics,
                apps=backends.apps,
                services=self._services,
            )
            self.port = await stack.enter_async_context(serve(web, settings.bind))
            await self._watch(stack, overload)
            self._stack = stack.pop_all()
        log.info(
            "started",
            version=__version__,
            engine=settings.engine if not settings.backends else None,
            backends=len(backends.rooms),
            host=settings.bind.host,
            port=self.port,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave all rooms and live sessions after their last words, then stop everything."""
        live = self._services.live
        async with asyncio.TaskGroup() as group:
            group.create_task(self._backends.drain(DRAIN_S), name="drain-rooms")
            if live is not None:
                group.create_task(live.drain(DRAIN_S), name="drain-live")
        await self._stack.aclose()
        log.info("stopped")

    @property
    def rooms(self) -> Mapping[str, RoomManager]:
        """The rooms of each backend, by its name."""
        return self._backends.rooms

    async def _overload(self) -> Overload:
        settings = self._settings
        memory_mb: float = settings.max_memory_mb or await asyncio.to_thread(memory.limit_mb)
        return Overload(max_lag_s=settings.max_lag_ms / 1000, max_memory_mb=memory_mb)

    async def _watch(self, stack: AsyncExitStack, overload: Overload) -> None:
        """Begin what runs beside the rooms, and the rooms of the last run."""

        def on_lag(seconds: float) -> None:
            self.metrics.observe_lag(seconds)
            overload.observe_lag(seconds)

        group = await stack.enter_async_context(asyncio.TaskGroup())
        for task in (
            group.create_task(lag.watch(on_lag), name="lag"),
            group.create_task(lag.count(self.metrics.tasks.set), name="tasks"),
            group.create_task(overload.run(), name="overload"),
            group.create_task(self._backends.take_up(), name="take-up"),
        ):
            stack.callback(task.cancel)


async def _run(settings: Settings) -> None:
    stop, is_starting = asyncio.Event(), True
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def on_first() -> None:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, _end_at_once)
        stop.set()
        if is_starting and task:
            task.cancel()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, on_first)
    try:
        async with App(settings):
            is_starting = False
            _spare_the_collector()
            await stop.wait()
            log.info("stopping")
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        log.info("stopped", while_starting=True)


def _spare_the_collector() -> None:
    """Take what was imported out of the garbage collector's sight, which stays for good.

    Speakers who left are cycles of half a MiB each. By default a full collection waits for
    70,000 new objects, and for a quarter of all there are: that is some 150 speakers. Without
    the hundred thousand imported ones it takes a few milliseconds, and may come more often.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(700, 10, 2)


def _end_at_once(number: int, _: FrameType | None) -> None:
    """Answer the second signal: even where the loop hangs, and as process 1 of a container."""
    os._exit(128 + number)


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code.

    The first signal ends the service in order, or breaks its start off. The second one ends the
    process at once, with the exit code of who is ended by it: 130 or 143.

    Raises:
        LivebotError: The service cannot be started.
    """
    logs.configure(settings.log_level, settings.log_format)
    asyncio.run(_run(settings))
    return 0
