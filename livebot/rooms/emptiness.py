"""When a room has been without people for so long that we leave it."""

import asyncio
from collections.abc import Callable

RETURN_S = 300.0
"""How long people have to come back after the server has forgotten them and us."""


class Emptiness:
    """Watches one room.

    Args:
        is_alone: Asked whether nobody but bots is there; False while that is not known.
        has_people: Asked whether somebody is.
        empty_s: How long we stay alone.
    """

    def __init__(
        self, is_alone: Callable[[], bool], has_people: Callable[[], bool], empty_s: float
    ) -> None:
        self._is_alone = is_alone
        self._has_people = has_people
        self._empty_s = empty_s
        self._is_return = False
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def look(self) -> None:
        """Look again: something has changed."""
        self._changed.set()

    def expect_return(self, *, is_return: bool) -> None:
        """Note that we came in, and whether it was after everybody was put out."""
        self._is_return = is_return

    async def wait(self) -> None:
        """Return when nobody was there for long enough."""
        deadline: float | None = None
        while True:
            if self._has_people():
                self._is_return = False
            if not self._is_alone():
                deadline = None
            elif deadline is None:
                deadline = self._loop.time() + self._patience_s
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return

    @property
    def _patience_s(self) -> float:
        return max(self._empty_s, RETURN_S) if self._is_return else self._empty_s
