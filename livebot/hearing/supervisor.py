"""A task group whose members may fail alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Self, TypeVar, cast

from livebot.errors import LivebotError

K = TypeVar("K")
"""By what the owner knows a member."""

E = TypeVar("E", bound=LivebotError)


class Supervisor(Generic[K]):
    """Runs tasks of which one's failure touches no other.

    Only faults of the outside world (`LivebotError`) are taken so; anything else is a
    bug and ends the whole group, loudly.

    Args:
        on_failure: Called with a member's key and the error that ended it.
    """

    def __init__(self, on_failure: Callable[[K, LivebotError], None]) -> None:
        self._on_failure = on_failure
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Begin; tasks can be started until the end of the context."""
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cancel what still runs and wait for it."""
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(*exc)  # type: ignore[arg-type]

    def start(self, key: K, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Start a member; keep the task only to wait for it or to cancel it."""
        task = self._group.create_task(self._guard(key, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def idle(self) -> None:
        """Wait until nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _guard(self, key: K, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except* LivebotError as group:
            self._on_failure(key, first_error(group))


def first_error(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of a group, however deeply it is nested."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, LivebotError):
        raise TypeError("not a group of LivebotError") from error
    return cast(E, error)
