"""A room's time line: seconds since the bot came, on the loop's steady clock."""

import asyncio


class RoomClock:
    """Begins now; one per room."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoch = self._loop.time()

    def now(self) -> float:
        """Return seconds since the beginning."""
        return self._loop.time() - self._epoch
