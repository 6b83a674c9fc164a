"""What is asked of a database is done to the end, though who asked was canceled.

A connection that is torn from its transaction keeps locks, threads and sockets for a while, and
the whole service would wait for them. So each piece of work is a task of the database's own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from livebot import logs

END_S = 30.0
"""How long closing waits for work that is under way; statements have deadlines of their own."""

log = logs.get("store")

P = ParamSpec("P")
T = TypeVar("T")


class Works:
    """The work that is under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what some work gives; it is done even if nobody waits for it any more."""
        task = self.begin(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_tell)
            raise

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin some work; who began it looks how it ends, or lets it be."""
        task = asyncio.create_task(work, name="store-work")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Wait for what is under way."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _tell(task: asyncio.Task[Any]) -> None:
    """Note how work ended that nobody waits for any more."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.warning("abandoned_work_failed", fault=type(fault).__name__)


class _HasDatabase(Protocol):
    @property
    def _database(self) -> "_HasWorks": ...


class _HasWorks(Protocol):
    @property
    def works(self) -> Works: ...


S = TypeVar("S", bound=_HasDatabase)


def unbroken(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let a method of something with a database be done to the end."""

    @wraps(method)
    async def do(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.works.do(method(self, *args, **kwargs))

    return do
