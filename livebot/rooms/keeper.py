"""Note the wanted rooms whenever they change, off the loop and never twice at a time."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import structlog

from livebot.metrics import Metrics
from livebot.rooms.state import FILE, SET_ASIDE, StateFile
from livebot.rooms.wanted import WantedRoom

log = structlog.get_logger("state")

EVERY_S = 0.2
"""Changes that come faster are written together; the first one is written at once."""

RETRY_S = 10.0
"""When writing is tried again after a fault, whether or not there is another change."""


class Keeper:
    """Keeps the wanted rooms over a restart; faults are told, and the service goes on.

    Entering it reads what was kept, leaving it writes what is not written yet.

    Args:
        folder: Where; None where nothing is to be kept.
        metrics: What is counted.
    """

    def __init__(self, folder: Path | None, metrics: Metrics) -> None:
        self.found: tuple[WantedRoom, ...] = ()
        self._file = StateFile(folder) if folder else None
        self._metrics = metrics
        self._unwritten: tuple[WantedRoom, ...] | None = None
        self._not_read: str | None = None
        self._not_written: str | None = None
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Read the rooms of the last run into `found`."""
        await self._group.__aenter__()
        if self._file:
            self.found = await self._read(self._file)
            self._group.create_task(self._run(self._file), name="state")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Write the last change, if that is not done yet."""
        self._closing.set()
        self._changed.set()
        await self._group.__aexit__(*exc)  # type: ignore[arg-type]

    @property
    def troubles(self) -> list[str]:
        """What is wrong, one short sentence each."""
        return [text for text in (self._not_read, self._not_written) if text]

    def keep(self, rooms: Iterable[WantedRoom]) -> None:
        """Have the rooms written soon, in place of those before."""
        self._unwritten = tuple(rooms)
        self._changed.set()

    async def _read(self, file: StateFile) -> tuple[WantedRoom, ...]:
        try:
            return await asyncio.to_thread(file.load)
        except OSError as exc:
            why = f"cannot be read ({exc.strerror})"
        except ValueError as exc:
            why = str(exc)
        kept = await asyncio.to_thread(file.set_aside)
        self._metrics.errors.labels("state", "read").inc()
        self._not_read = f"the rooms of the last run are lost: {FILE} {why}" + (
            f"; it is now {SET_ASIDE}" if kept else ""
        )
        log.error("state_not_read", why=why, kept_as=SET_ASIDE if kept else None)
        return ()

    async def _run(self, file: StateFile) -> None:
        while not self._closing.is_set():
            await self._changed.wait()
            self._changed.clear()
            await self._write(file)
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S if self._not_written else EVERY_S):
                    await self._closing.wait()
        await self._write(file)

    async def _write(self, file: StateFile) -> None:
        """Write the latest rooms, if they are not written yet."""
        rooms, self._unwritten = self._unwritten, None
        if rooms is None:
            return
        try:
            await asyncio.to_thread(file.save, rooms)
        except (OSError, ValueError) as exc:
            # Without the path that an OSError's own text has.
            self._failed((exc.strerror if isinstance(exc, OSError) else None) or str(exc))
            if self._unwritten is None:
                self.keep(rooms)
        else:
            self._not_written = None

    def _failed(self, why: str) -> None:
        self._metrics.errors.labels("state", "write").inc()
        if self._not_written is None:
            log.error("state_not_written", why=why)
        self._not_written = f"rooms would be lost at a restart: {why}"
