"""The engine host that does jobs: that of live captions, or our own from the first job on."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from livebot import logs
from livebot.errors import EngineError
from livebot.recognising import FileHost

log = logs.get("jobs")


class Hosting:
    """Gives out a host that runs.

    Args:
        shared: One that runs already; None where there is none.
        build: Makes one of our own, which is to be entered.
    """

    def __init__(
        self,
        shared: FileHost | None,
        build: Callable[[], AbstractAsyncContextManager[FileHost]],
    ) -> None:
        self._shared = shared
        self._build = build
        self._wanted = asyncio.Event()
        self._host: FileHost | None = None
        self._waiting: list[asyncio.Future[FileHost]] = []
        self.fault: EngineError | None = None

    @property
    def host(self) -> FileHost | None:
        """Return it where there is one now."""
        return self._shared or self._host

    async def get(self) -> FileHost:
        """Return it; starts our own where that is needed.

        Raises:
            EngineError: It cannot be started; the next one who asks tries again.
        """
        if self.host is not None:
            return self.host
        waiting: asyncio.Future[FileHost] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._wanted.set()
        # Without a deadline: starting has its own.
        return await waiting

    async def run(self) -> None:
        """Keep our own, once somebody wants it, until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                async with self._build() as host:
                    self.fault, self._host = None, host
                    self._answer(host)
                    await asyncio.Event().wait()
            except EngineError as exc:
                log.warning("jobs_engine_failed", error=str(exc))
                self.fault = exc
                self._wanted.clear()
                self._answer(exc)
            finally:
                self._host = None

    def _answer(self, found: FileHost | EngineError) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if each.done():
                continue  # cancelled
            if isinstance(found, EngineError):
                each.set_exception(found)
            else:
                each.set_result(found)
