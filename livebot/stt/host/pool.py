"""Worker processes, kept alive, and streams placed on them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self

import msgspec
import structlog

from livebot.errors import EngineError
from livebot.stt.host.faults import unforeseen
from livebot.stt.host.messages import Read, Ready
from livebot.stt.host.order import Order
from livebot.stt.host.process import BUSY_S, WorkerProcess
from livebot.stt.host.stream import HostStream, Note
from livebot.stt.languages import AUTO, match

log = structlog.get_logger("stt.host")

OPEN_S = 10.0
"""How long a new stream waits for a worker that is being restarted."""

REST_S = 30.0
"""The wait then: restarting costs seconds of a core, giving up would be for ever."""

HEALTHY_S = 60.0
"""A life of this length was a good one: what came before it is forgiven."""

STOPPING = "the recognition workers are stopping"

_MAX_BACKOFF_S = 8.0

READY_S = 60.0
"""Loading takes a second; on a machine that is starting, much longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """How workers are kept.

    Attributes:
        ready_s: How long one may take to load its model.
        max_restarts: In a row: who dies more often will die again, and is started rarely from
            then on.
        restart_delay_s: The wait before the first restart, doubled before each further one.
        cores: How many cores each may run on; 0 is all.
        busy_s: How long one pass of the model may take.
    """

    ready_s: float = READY_S
    max_restarts: int = 5
    restart_delay_s: float = 0.2
    cores: int = 0
    busy_s: float = BUSY_S


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
        order: What each is to load, and what it may use.
        supervision: How they are kept.

    Attributes:
        readiness: What the first worker said when it was ready.
        restarts: How many workers have been started in the place of one that ended.
        suspects: Held by the one file that may have killed a worker and is read on.
    """

    def __init__(
        self, *, workers: int, order: Order | None = None, supervision: Supervision | None = None
    ) -> None:
        self._count = workers
        self._order = order or Order()
        self._supervision = supervision or Supervision()
        self._slots: list[_Slot] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._changed = asyncio.Event()
        self.readiness: Ready | None = None
        self.restarts = 0
        self.suspects = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Start all workers and wait until they are ready.

        Raises:
            EngineError: One of them does not get ready.
        """
        self._slots = [_Slot() for _ in range(self._count)]
        self._group = await asyncio.TaskGroup().__aenter__()
        self._tasks = [
            self._group.create_task(self._keep(slot, number), name=f"stt-worker-{number}")
            for number, slot in enumerate(self._slots)
        ]
        try:
            # Each start has its own deadline.
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
        self._changed.set()  # nobody waits for them any more

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

    def language(self, wanted: str) -> str | None:
        """Return the model's code for a language; `auto` as it is, None where it has none."""
        languages = self.readiness.languages if self.readiness else {}
        return AUTO if wanted == AUTO else match(wanted, languages)

    @asynccontextmanager
    async def open(self, language: str = AUTO) -> AsyncIterator[HostStream]:
        """Open a stream on the least loaded worker.

        Args:
            language: A code of the model's, or `auto`.

        Raises:
            EngineError: On entering, when there is no worker.
        """
        worker = await self._worker(OPEN_S)
        with _closing(worker, worker.open(language)) as stream:
            yield stream

    @asynccontextmanager
    async def read(
        self, wanted: Read, on_note: Callable[[Note], None] = lambda _: None
    ) -> AsyncIterator[HostStream]:
        """Have a file read by the least loaded worker.

        Args:
            wanted: Which, and how; its number is of no account.
            on_note: Called with the language, where it was `auto`, and with the progress.

        Raises:
            EngineError: On entering, when there is no worker.
        """
        # Nobody listens meanwhile, so it may take as long as a start takes.
        worker = await self._worker(self._supervision.ready_s)
        with _closing(worker, worker.read(wanted, on_note)) as stream:
            yield stream

    async def _worker(self, within_s: float) -> WorkerProcess:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    ready = [slot.worker for slot in self._slots if slot.worker]
                    alive = [worker for worker in ready if worker.is_alive]
                    if alive:
                        return min(alive, key=lambda worker: worker.load)
                    if all(slot.rests for slot in self._slots):
                        raise EngineError("; ".join(self.troubles()) or STOPPING)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as exc:
            raise EngineError("no recognition worker got ready in time") from exc

    async def _keep(self, slot: _Slot, number: int) -> None:
        """Start worker after worker in a slot; who died too often in a row is given a rest."""
        loop = asyncio.get_running_loop()
        order = _placed(self._order, number, self._supervision.cores)
        most = self._supervision.max_restarts
        died = 0
        while True:
            started = loop.time()
            try:
                await self._live(slot, order)
            except Exception as exc:  # noqa: BLE001 - one worker must not end the others
                fault = _known(exc)
                if not slot.first.done():
                    slot.first.set_exception(fault)
                    return
                died = 1 if loop.time() - started > HEALTHY_S else died + 1
                slot.fault = fault
                slot.rests = died > most or not fault.retryable
                log.warning("worker_failed", error=str(fault), in_a_row=died, rests=slot.rests)
            self._changed.set()
            delay_s = self._supervision.restart_delay_s * 2.0 ** min(died, most)
            await asyncio.sleep(REST_S if slot.rests else min(_MAX_BACKOFF_S, delay_s))
            self.restarts += 1

    async def _live(self, slot: _Slot, order: Order) -> None:
        """Start one worker and serve its streams until it ends.

        Raises:
            EngineError: It ended, or did not get ready.
        """
        worker = await WorkerProcess.start(order, busy_s=self._supervision.busy_s)
        try:
            ready = await worker.ready(self._supervision.ready_s)
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


@contextmanager
def _closing(worker: WorkerProcess, stream: HostStream) -> Iterator[HostStream]:
    try:
        yield stream
    finally:
        worker.close(stream)


def _known(fault: Exception) -> EngineError:
    return fault if isinstance(fault, EngineError) else unforeseen("a recognition worker", fault)


def _placed(order: Order, number: int, cores: int) -> Order:
    """Give the worker of this number as many of our cores as it may have, others than the last."""
    allowed = sorted(os.sched_getaffinity(0))
    if not 0 < cores < len(allowed):
        return order
    cpus = tuple(allowed[(number * cores + i) % len(allowed)] for i in range(cores))
    return msgspec.structs.replace(order, cpus=cpus)
