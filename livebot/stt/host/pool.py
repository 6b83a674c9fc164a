"""Worker processes, kept alive, and streams placed on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import structlog

from livebot.errors import EngineError
from livebot.stt.host.messages import Ready
from livebot.stt.host.process import WorkerProcess
from livebot.stt.host.stream import HostStream

log = structlog.get_logger("stt.host")

OPEN_S = 10.0
"""How long a new stream waits for a worker that is being restarted."""

MAX_RESTARTS = 5
"""In a row: who dies more often will die again, and is started rarely from then on."""

REST_S = 30.0
"""The wait then: restarting costs seconds of a core, giving up would be for ever."""

HEALTHY_S = 60.0
"""A life of this length was a good one: what came before it is forgiven."""

_BACKOFF_S = 0.2
_MAX_BACKOFF_S = 8.0


class _Slot:
    """A place for a worker: lives follow each other in it.

    Attributes:
        worker: The present one, when it is ready.
        first: What came of the first start.
        fault: Why there is none; None while there is, or the first one starts.
        rests: Whether it takes a while until another is started.
    """

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.first: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self.fault: EngineError | None = None
        self.rests = False


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

    def troubles(self) -> list[str]:
        """Return which workers are away, and why."""
        faults = [slot.fault for slot in self._slots if slot.fault]
        if not faults:
            return []
        return [f"{len(faults)} of {len(self._slots)} recognition workers are away: {faults[-1]}"]

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
                    if all(slot.rests for slot in self._slots):
                        raise EngineError("; ".join(self.troubles()))
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as exc:
            raise EngineError("no recognition worker got ready in time") from exc

    async def _keep(self, slot: _Slot) -> None:
        """Start worker after worker in a slot; who died too often in a row is given a rest."""
        loop = asyncio.get_running_loop()
        died = 0
        while True:
            started = loop.time()
            try:
                await self._live(slot)
            except EngineError as exc:
                if not slot.first.done():
                    slot.first.set_exception(exc)
                    return
                died = 1 if loop.time() - started > HEALTHY_S else died + 1
                slot.fault = exc
                slot.rests = died > MAX_RESTARTS or not exc.retryable
                log.warning("worker_failed", error=str(exc), in_a_row=died, rests=slot.rests)
            self._changed.set()
            backoff_s = min(_MAX_BACKOFF_S, _BACKOFF_S * 2.0 ** min(died, MAX_RESTARTS))
            await asyncio.sleep(REST_S if slot.rests else backoff_s)

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
            slot.fault, slot.rests = None, False
            if not slot.first.done():
                slot.first.set_result(ready)
            self._changed.set()
            await worker.run()
        finally:
            slot.worker = None
            await worker.stop()
