"""The composition root: settings in, running service out; the only file that builds things."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Self

import structlog

from livebot import __version__, lag, logs
from livebot.api.server import make_app, serve
from livebot.metrics import Metrics
from livebot.rooms.manager import RoomManager
from livebot.settings import Settings
from livebot.stt import registry

log = structlog.get_logger("app")

DRAIN_S = 10.0
"""How long stopping may take: the last words (5 s), their sending, and the byes."""


class App:
    """The service, from entering to leaving the context.

    Args:
        settings: All of them; those a call needs included.

    Raises:
        ConfigError: (on entering) The settings do not suffice.
        EngineError: (on entering) The engine cannot be started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self.metrics = Metrics()
        self.manager: RoomManager
        self.port = 0

    async def __aenter__(self) -> Self:
        """Start the engine, the rooms' home and the HTTP server, in this order."""
        settings = self._settings
        settings.require_call()
        if settings.backend_derived:
            log.warning("backend_derived", backend=settings.backend_url, cure="set NEXTCLOUD_URL")
        async with AsyncExitStack() as stack:
            name = settings.engine_name
            # Importing reads the disk, and some engines are large.
            engine = await asyncio.to_thread(registry.load, name, settings.engine_options(name))
            await stack.enter_async_context(engine)
            manager = RoomManager(settings, engine=engine, metrics=self.metrics)
            self.manager = await stack.enter_async_context(manager)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            watcher = group.create_task(lag.watch(self.metrics.observe_lag), name="lag")
            stack.callback(watcher.cancel)
            web = make_app(self.manager, settings, self.metrics)
            self.port = await stack.enter_async_context(serve(web, settings.host, settings.port))
            self._stack = stack.pop_all()
        log.info("started", version=__version__, engine=name, host=settings.host, port=self.port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave all rooms after their last words, then stop everything."""
        await self.manager.drain(DRAIN_S)
        await self._stack.aclose()
        log.info("stopped")


async def _run(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with App(settings):
        await stop.wait()
        log.info("stopping")


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code.

    Raises:
        LivebotError: The service cannot be started.
    """
    logs.configure(settings.log_level, settings.log_format)
    asyncio.run(_run(settings))
    return 0
