"""The engine host: models kept warm in worker processes, for streams and for files.

Its own model is there from entering to leaving; others are loaded when somebody asks for
them, and unloaded when nobody has for a while. Files wait in line, first come first served,
and several are worked on in turn, so that a short one is not held up by a long one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import structlog

from livebot.errors import EngineBusyError, EngineError, RecordingError
from livebot.stt.host import reading
from livebot.stt.host.faults import unforeseen
from livebot.stt.host.messages import Progress, Read, Ready
from livebot.stt.host.options import HostOptions
from livebot.stt.host.pool import WorkerPool
from livebot.stt.host.reading import Recognition
from livebot.stt.host.status import HostStatus
from livebot.stt.host.stream import HostStream
from livebot.stt.host.warm import Warm
from livebot.stt.models import Download, provide

log = structlog.get_logger("stt.host")

FILES_PER_WORKER = 4
"""Files that a worker has in hand, in turn; others wait."""


class EngineHost:
    """Recognises files and streams; entered once, shared by everybody in the process.

    Args:
        options: What it does, and within which limits.
        on_download: Called while a model is downloaded; must not block.
    """

    def __init__(
        self, options: HostOptions, on_download: Callable[[Download], None] = lambda _: None
    ) -> None:
        self._options = options
        self._on_download = on_download
        self._group: asyncio.TaskGroup | None = None
        self._warm: dict[str, Warm] = {}
        self._restarts = 0
        self._waiting = 0
        self._working = 0

    async def __aenter__(self) -> Self:
        """Load its own model.

        Raises:
            EngineError: It cannot be had or does not get ready; the text says what to do.
        """
        self._group = await asyncio.TaskGroup().__aenter__()
        try:
            async with self._using(self._options.model):
                pass
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Unload all models; their workers are gone."""
        for warm in self._warm.values():
            warm.end()
        group, self._group = self._group, None
        if group is not None:
            await group.__aexit__(None, None, None)

    @property
    def readiness(self) -> Ready:
        """Return what the first worker of its own model said when it was ready.

        Raises:
            EngineError: There is none.
        """
        warm = self._warm.get(self._options.model)
        ready = warm.ready.result().readiness if warm and warm.is_ready else None
        if ready is None:
            raise EngineError("the engine host is not running", retryable=False)
        return ready

    def status(self) -> HostStatus:
        """Say how it is."""
        pools = {name: w.ready.result() for name, w in self._warm.items() if w.is_ready}
        troubles = tuple(trouble for pool in pools.values() for trouble in pool.troubles())
        running = self._group is not None and self._options.model in pools
        return HostStatus(
            running=running,
            healthy=running and not troubles,
            restart_count=self._restarts + sum(pool.restarts for pool in pools.values()),
            model=self._options.model,
            language=self._options.language,
            waiting=self._waiting,
            working=self._working,
            models=tuple(pools),
            troubles=troubles,
        )

    async def recognise(
        self,
        path: Path,
        *,
        language: str = "",
        model: str = "",
        translate: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_utterance: reading.OnUtterance = lambda _: None,
    ) -> Recognition:
        """Recognise a file. Cancelled, it is forgotten at once.

        Args:
            path: The file.
            language: A code, or `auto`; empty for the host's own.
            model: A name of `livebot.stt.models`; empty for the host's own.
            translate: Whether to write it down in English.
            on_progress: Called some times a second; never goes back; must not block.
            on_utterance: Called with each utterance once it is whole, once and in order; must not
                block.

        Raises:
            RecordingError: The file cannot be read.
            EngineBusyError: Too many wait already.
            EngineError: The model cannot be had, does not know the language or cannot
                translate, or recognition failed twice at the same place, or nothing came
                of it for too long.
        """
        async with self._using(model) as (warm, pool), self._turn(warm):
            wanted = Read(0, _text(path), self._language(pool, language), translate)
            if translate and not (pool.readiness and pool.readiness.translates):
                raise EngineError(
                    "the model cannot translate: choose one of Whisper's that knows more than"
                    " English, like small",
                    retryable=False,
                )
            return await reading.read(
                pool,
                wanted,
                model=model or self._options.model,
                within_s=self._options.process_s,
                on_progress=on_progress,
                on_utterance=on_utterance,
            )

    @asynccontextmanager
    async def open(self, *, language: str = "", model: str = "") -> AsyncIterator[HostStream]:
        """Open a stream of somebody who speaks now.

        Args:
            language: A code, or `auto`; empty for the host's own.
            model: A name of `livebot.stt.models`; empty for the host's own.

        Raises:
            EngineError: On entering, when none can be had.
        """
        async with (
            self._using(model) as (_, pool),
            pool.open(self._language(pool, language)) as stream,
        ):
            yield stream

    def _language(self, pool: WorkerPool, wanted: str) -> str:
        wanted = wanted or self._options.language
        if (code := pool.language(wanted)) is None:
            known = ", ".join(sorted(pool.readiness.languages)) if pool.readiness else ""
            raise EngineError(
                f"the model does not understand {wanted!r}; it understands {known}: choose"
                " another language or another model",
                retryable=False,
            )
        return code

    # Who waits for a turn.

    @asynccontextmanager
    async def _turn(self, warm: Warm) -> AsyncIterator[None]:
        if self._waiting >= self._options.queue:
            raise EngineBusyError(f"{self._waiting} files wait already: try again later")
        self._waiting += 1
        try:
            # Without a deadline: those before it have one each.
            await warm.turns.acquire()
        finally:
            self._waiting -= 1
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            warm.turns.release()

    # Models come and go.

    @asynccontextmanager
    async def _using(self, model: str) -> AsyncIterator[tuple[Warm, WorkerPool]]:
        name = model or self._options.model
        warm = self._asked(name)
        # Who waits for it counts, too, and may go before it is there.
        warm.users += 1
        if warm.going:
            warm.going.cancel()
        try:
            # Others may wait for it too. The deadlines are those of downloading and of loading.
            yield warm, await asyncio.shield(warm.ready)
        finally:
            warm.users -= 1
            is_other = name != self._options.model and self._warm.get(name) is warm
            if not warm.users and is_other and self._options.idle_s:
                loop = asyncio.get_running_loop()
                warm.going = loop.call_later(self._options.idle_s, self._unload, name, warm)

    def _asked(self, name: str) -> Warm:
        if self._group is None:
            raise EngineError("the engine host is not running", retryable=False)
        warm = self._warm.get(name)
        if warm is None:
            turns = asyncio.Semaphore(FILES_PER_WORKER * self._options.workers)
            warm = Warm(asyncio.get_running_loop().create_future(), turns)
            self._warm[name] = warm
            keeping = self._keep(name, warm)
            warm.keeping = self._group.create_task(keeping, name=f"stt-model-{name}")
        return warm

    def _unload(self, name: str, warm: Warm) -> None:
        if not warm.users:
            self._forget(name, warm)
            warm.end()

    def _forget(self, name: str, warm: Warm) -> None:
        if self._warm.get(name) is warm:
            del self._warm[name]

    async def _keep(self, name: str, warm: Warm) -> None:
        """Hold a model's workers until it is let go."""
        fault = EngineError("the engine host is stopping")
        try:
            async with await self._pool(name) as pool:
                log.info("model_ready", model=name, workers=self._options.workers)
                warm.ready.set_result(pool)
                try:
                    await asyncio.Event().wait()
                finally:
                    self._restarts += pool.restarts
        except EngineError as exc:
            fault = exc
        except Exception as exc:  # noqa: BLE001 - one model must not end the others
            fault = unforeseen("the model", exc)
        finally:
            self._forget(name, warm)
            if not warm.ready.done():
                warm.ready.set_exception(fault)
                warm.ready.exception()  # whoever asked may be gone

    async def _pool(self, name: str) -> WorkerPool:
        """Have the model, and return workers for it that are not started yet.

        Raises:
            EngineError: It cannot be had; the text says what to do.
        """
        options = self._options
        spec = await provide(
            name,
            model_dir=options.model_dir,
            cache=options.cache,
            source=options.source,
            offline=options.offline,
            device=options.device,
            compute_type=options.compute_type,
            on_progress=self._on_download,
        )
        order = await asyncio.to_thread(options.order, spec)
        supervision = options.supervision()
        return WorkerPool(workers=options.workers, order=order, supervision=supervision)


def _text(path: Path) -> str:
    """Return a path as messages can carry it.

    Raises:
        RecordingError: They cannot.
    """
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError:
        raise RecordingError("its name is not UTF-8: rename it, or link to it") from None
