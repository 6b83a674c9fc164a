"""Waking those who watch a job."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """One who watches."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake."""
        self._event.set()

    async def wait(self, within_s: float) -> None:
        """Wait until something has changed since the last time, or for so long."""
        try:
            async with asyncio.timeout(within_s):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class News:
    """Who watches which job."""

    def __init__(self) -> None:
        self._watching: dict[str, set[Watch]] = {}

    @contextmanager
    def of(self, job: str) -> Iterator[Watch]:
        """Watch a job inside of the context."""
        watch = Watch()
        self._watching.setdefault(job, set()).add(watch)
        try:
            yield watch
        finally:
            self._watching[job].discard(watch)
            if not self._watching[job]:
                del self._watching[job]

    def tell(self, job: str) -> None:
        """Wake those who watch a job."""
        for watch in self._watching.get(job, ()):
            watch.tell()
