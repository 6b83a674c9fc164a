"""One engine among several: who may try it, what became of it, and why it is left alone."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog

from livebot.errors import EngineBusyError, EngineError, EngineStalledError
from livebot.metrics import Metrics
from livebot.stt.breaker import FIRST_S, MOST_S, Breaker, Failure, State
from livebot.stt.engine import SelfAware, SttEngine, SttStream
from livebot.stt.languages import match
from livebot.stt.stall import PATIENCE_S

log = structlog.get_logger("stt")


class Member:
    """An engine, started or not, and its breaker.

    Args:
        name: What it is called in logs and metrics.
        engine: It; `keep()` enters it.
        most_s: The longest rest after a failure.
        metrics: What is counted.
        on_change: Called when it may have become possible to open a stream; must not block.
    """

    def __init__(
        self,
        name: str,
        engine: SttEngine,
        *,
        most_s: float,
        metrics: Metrics,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.engine = engine
        self.tried = asyncio.Event()
        self.fault: EngineError | None = None
        self._is_started = False
        self._since = 0.0
        self._understood_at = float("-inf")
        self._breaker = Breaker(most_s=most_s)
        self._loop = asyncio.get_running_loop()
        self._up = metrics.engine_up.labels(name)
        self._streams = metrics.engine_streams.labels(name)
        self._reconnects = metrics.reconnects
        self._on_change = on_change

    async def keep(self) -> None:
        """Start the engine, again and again until it can be, and hold it until cancelled."""
        rest_s = FIRST_S
        while True:
            try:
                async with self.engine:
                    self._started()
                    await self._loop.create_future()
            except EngineError as exc:
                self._is_started = False
                self._down(exc, Failure.UNREACHABLE)
            self.tried.set()
            await asyncio.sleep(rest_s)
            rest_s = min(MOST_S, 2 * rest_s)

    def _started(self) -> None:
        self._is_started = True
        self.fault = None
        self._up.set(1)
        self.tried.set()
        self._on_change()

    # Who may try.

    def code(self, language: str) -> str | None:
        """Return what the engine calls a language; None where it does not understand it."""
        return match(language, self.engine.capabilities.languages)

    @property
    def can_be_had(self) -> bool:
        """Whether a stream would be let in now, unless somebody else is trying."""
        return self._is_started and self._breaker.state(self._loop.time()) is not State.OPEN

    @property
    def retry_in_s(self) -> float | None:
        """Return when somebody may try; None while that depends on something else."""
        return self._breaker.retry_in_s(self._loop.time()) if self._is_started else None

    def enter(self) -> int | None:
        """Return a ticket for one stream, for `over()`; None if it is not let in."""
        return self._breaker.enter(self._loop.time()) if self._is_started else None

    # What became of it.

    async def open(
        self, stack: AsyncExitStack, ticket: int, *, language: str, within_s: float | None
    ) -> SttStream:
        """Open a stream that the stack closes; a failure is noted.

        Args:
            stack: Where the stream is entered.
            ticket: From `enter()`.
            language: What is spoken.
            within_s: How long it may take; None where there is no other engine to go to.

        Raises:
            EngineError: There is none.
        """
        patience = asyncio.timeout(within_s)
        try:
            async with patience:
                opening = self.engine.open(language=self.code(language) or language)
                stream = await stack.enter_async_context(opening)
        except TimeoutError as exc:
            if not patience.expired():
                raise
            late = EngineError(f"no stream within {within_s:.0f} s")
            self.over(ticket, late, was_open=False)
            raise late from exc
        except BaseException as exc:
            self.over(ticket, exc, was_open=False)
            raise
        stack.enter_context(self._streams.track_inprogress())
        self._breaker.opened(ticket, is_last=within_s is None)
        self._recovered()
        return stream

    def works(self) -> None:
        """Note that a stream gave its first event."""
        self._breaker.works()
        self._recovered()

    def understood(self) -> None:
        """Note that a stream gave a word."""
        self._understood_at = self._loop.time()

    def over(self, ticket: int, exc: BaseException | None, *, was_open: bool = True) -> None:
        """Note how a stream ended: by itself, by a fault, or because nobody wants it any more."""
        error = _fault(exc)
        if error is None:
            self._breaker.left(ticket)
        else:
            failure = _kind(error, was_open=was_open)
            self._reconnects.labels("engine", failure.value).inc()
            if failure is Failure.STALLED and self.is_understanding:
                # It is deaf to this speaker alone: somebody types, or music plays.
                self._breaker.left(ticket)
            elif self._breaker.failed(ticket, failure, self._loop.time()):
                self._down(error, failure)
        self._on_change()

    @property
    def is_understanding(self) -> bool:
        """Whether it gave a word so lately that it was not to a stream that has stalled since."""
        return self._loop.time() - self._understood_at < PATIENCE_S

    def _down(self, error: EngineError, failure: Failure) -> None:
        if self.fault is None:
            self._since = self._loop.time()
            log.warning("engine_down", engine=self.name, reason=failure.value, error=str(error))
        self.fault = error
        # Who is full works; a new stream has to wait all the same.
        self._up.set(failure is Failure.BUSY)

    def _recovered(self) -> None:
        if self.fault is not None and self._breaker.is_trusted:
            down_s = round(self._loop.time() - self._since, 1)
            log.info("engine_up", engine=self.name, after_s=down_s)
            self.fault = None
            self._up.set(1)
        self._on_change()

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""
        found = [f"engine {self.name}: {text}" for text in self._own_troubles()]
        if self.fault is not None:
            age_s = self._loop.time() - self._since
            found.append(f"engine {self.name}: {self.fault}, since {age_s:.0f} s")
        return found

    def _own_troubles(self) -> list[str]:
        return self.engine.troubles() if isinstance(self.engine, SelfAware) else []


def _fault(exc: BaseException | None) -> EngineError | None:
    """Return the engine's fault in what a context was left with, if there is one."""
    if isinstance(exc, BaseExceptionGroup):
        return next((found for each in exc.exceptions if (found := _fault(each))), None)
    return exc if isinstance(exc, EngineError) else None


def _kind(error: EngineError, *, was_open: bool) -> Failure:
    match error:
        case EngineBusyError():
            return Failure.BUSY
        case EngineStalledError():
            return Failure.STALLED
        case _ if not error.retryable:
            return Failure.REFUSED
        case _:
            return Failure.LOST if was_open else Failure.UNREACHABLE
