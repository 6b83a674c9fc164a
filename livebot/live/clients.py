"""Whoever is attached to a session now, and why it is to go."""

import asyncio
from enum import StrEnum


class End(StrEnum):
    """Why a client is to go."""

    FINISHED = "finished"
    """All was said."""

    REPLACED = "replaced"
    """Another client goes on with the session."""

    IDLE = "idle"
    """It gave no sign of life."""

    RESTART = "restart"
    """The service stops."""

    TIME = "time"
    """The session has become too old."""


class Client:
    """Tells one client when it is to go; the first reason counts."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self._end = End.FINISHED

    @property
    def is_gone(self) -> bool:
        """Whether it is to go."""
        return self._gone.is_set()

    def go(self, end: End) -> None:
        """Let it go."""
        if not self._gone.is_set():
            self._end = end
            self._gone.set()

    async def wait(self) -> End:
        """Wait until it is to go, and return why."""
        await self._gone.wait()
        return self._end
