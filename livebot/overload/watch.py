"""Ask for lag and memory every so often; tell why no more can be taken."""

import asyncio
import math
from collections.abc import Callable

import psutil
import structlog

from livebot.overload import memory
from livebot.overload.gate import Gate
from livebot.overload.lateness import Lateness

log = structlog.get_logger("overload")

LAG_EVERY_S = 1.0
MEMORY_EVERY_S = 5.0
READING_S = 4.0
"""How long reading the memory may take; the last reading stands until there is another."""

_LAG_LOW = 0.7
_MEMORY_LOW = 0.95
"""A process gives little of its memory back, so this one is near the limit."""


class Overload:
    """Whether the process can take more.

    Args:
        max_lag_s: How late the event loop may be, in seconds.
        max_memory_mb: How much memory may be used, in MiB; infinite where it is not watched.
        read_memory_mb: Returns how much is used; may block.
    """

    def __init__(
        self,
        *,
        max_lag_s: float,
        max_memory_mb: float = math.inf,
        read_memory_mb: Callable[[], float] = memory.used_mb,
    ) -> None:
        self._lateness = Lateness()
        self._lag = Gate(max_lag_s, low=_LAG_LOW)
        self._memory = Gate(max_memory_mb, low=_MEMORY_LOW)
        self._read_memory_mb = read_memory_mb
        self._loop = asyncio.get_running_loop()

    @property
    def reasons(self) -> list[str]:
        """Why no more can be taken, one short sentence each; empty where it can."""
        found = []
        if (lag := self._lag.worst) is not None:
            found.append(f"event loop late by {lag * 1000:.0f} ms")
        if (used := self._memory.worst) is not None:
            found.append(f"memory {used:.0f} of {self._memory.limit:.0f} MB")
        return found

    def observe_lag(self, seconds: float) -> None:
        """Note how late the event loop was once."""
        self._lateness.observe(seconds, self._loop.time())

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_lag(), name="overload-lag")
            if self._memory.limit < math.inf:
                group.create_task(self._watch_memory(), name="overload-memory")

    async def _watch_lag(self) -> None:
        while True:
            await asyncio.sleep(LAG_EVERY_S)
            now = self._loop.time()
            self._observe(self._lag, self._lateness.recent_s(now))

    async def _watch_memory(self) -> None:
        while True:
            try:
                async with asyncio.timeout(READING_S):
                    used = await asyncio.to_thread(self._read_memory_mb)
            except (OSError, psutil.Error) as exc:
                # It hangs, or there is no file descriptor left: a figure is worth no call.
                log.warning("memory_not_read", why=type(exc).__name__)
            else:
                self._observe(self._memory, used)
            await asyncio.sleep(MEMORY_EVERY_S)

    def _observe(self, gate: Gate, value: float) -> None:
        was_shut = gate.is_shut
        gate.observe(value, self._loop.time())
        if gate.is_shut and not was_shut:
            log.warning("overload_began", reasons=self.reasons)
        elif was_shut and not gate.is_shut:
            log.info("overload_ended", left=self.reasons)
