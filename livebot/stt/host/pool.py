"""Worker processes, kept alive, and streams placed on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import structlog

from livebot.errors import EngineBusyError, EngineError
from livebot.stt.host.messages import Ready
from livebot.stt.host.process import WorkerProcess
from livebot.stt.host.stream import HostStream

log = structlog.get_logger("stt.host")

OPEN_S = 10.0
"""How long a new stream waits for a worker that is being restarted."""

MAX_RESTARTS = 5
"""In a row: who dies more often will die again."""

HEALTHY_S = 60.0
"""A life of this length was a good one: what came before it is forgiven."""

_BACKOFF_S = 0.2
_MAX_BACKOFF_S = 8.0


class _Slot:
    """A place for a worker: lives follow each other in it.

    Attributes:
        worker: The present one, when it is ready.
        first: What came of the first start.
        lost: Whether nobody is started here any more.
    """

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.first: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self.lost = False


class WorkerPool:
    """Workers from entering to leaving the context.

    Args:
        workers: How many.
        model_dir: The model's folder; empty for the one that comes with its package.
    """

    def __init__(self, *, workers: int, model_dir: str = "") -> None:
        self._count = workers
        self._model_dir = model_dir
        self._slots: list[_Slot] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._changed = asyncio.Event()
        self.readiness: Ready | None = None

    async def __aenter__(self) -> Self:
        """Start all workers and wait until they are ready.

        Raises:
            EngineError: One of them does not get ready.
        """
        self._slots = [_Slot() for _ in range(self._count)]
        self._group = await asyncio.TaskGroup().__aenter__()
        self._tasks = [
            self._group.create_task(self._keep(slot), name=f"stt-worker-{number}")
            for number, slot in enumerate(self._slots)
        ]
        try:
            # Each start has its own deadline, `process.READY_S`.
            firsts = await asyncio.gather(*(slot.first for slot in self._slots))
        except BaseException:
            await self.__aexit__()
            raise
        self.readiness = firsts[0]
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop all workers; those that do not listen are killed."""
        for task in self._tasks:
            task.cancel()
        group, self._group = self._group, None
        if group is not None:
            await group.__aexit__(None, None, None)
        self._tasks, self._slots = [], []

    @property
    def loads(self) -> list[int]:
        """Return how many streams each worker serves that is ready."""
        return [slot.worker.load for slot in self._slots if slot.worker]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[HostStream]:
        """Open a stream on the least loaded worker.

        Raises:
            EngineError: On entering, when there is none.
        """
        worker = await self._worker()
        stream = worker.open()
        try:
            yield stream
        finally:
            worker.close(stream)

    async def _worker(self) -> WorkerProcess:
        try:
            async with asyncio.timeout(OPEN_S):
                while True:
                    ready = [slot.worker for slot in self._slots if slot.worker]
                    alive = [worker for worker in ready if worker.is_alive]
                    if alive:
                        return min(alive, key=lambda worker: worker.load)
                    if all(slot.lost for slot in self._slots):
                        raise EngineError("no recognition worker is left", retryable=False)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as exc:
            raise EngineBusyError("no recognition worker got ready in time") from exc

    async def _keep(self, slot: _Slot) -> None:
        """Start worker after worker in a slot, until too many have died in a row."""
        loop = asyncio.get_running_loop()
        died = 0
        while died <= MAX_RESTARTS:
            started = loop.time()
            try:
                await self._live(slot)
            except EngineError as exc:
                if not slot.first.done():
                    slot.first.set_exception(exc)
                    break
                died = 1 if loop.time() - started > HEALTHY_S else died + 1
                log.warning("worker_failed", error=str(exc), in_a_row=died)
                if not exc.retryable:
                    break
            await asyncio.sleep(min(_MAX_BACKOFF_S, _BACKOFF_S * 2.0**died))
        slot.lost = True
        self._changed.set()

    async def _live(self, slot: _Slot) -> None:
        """Start one worker and serve its streams until it ends.

        Raises:
            EngineError: It ended, or did not get ready.
        """
        worker = await WorkerProcess.start(self._model_dir)
        try:
            ready = await worker.ready()
            log.info("worker_ready", pid=worker.pid, load_s=round(ready.load_s, 3))
            slot.worker = worker
            if not slot.first.done():
                slot.first.set_result(ready)
            self._changed.set()
            await worker.run()
        finally:
            slot.worker = None
            await worker.stop()
