"""How fast a session takes audio: as fast as it is heard, and never much faster than that.

Rule: who sends is made to wait, and nothing is thrown away to let it go on. Only where an engine
takes nothing for long is audio taken at the pace of speech into the backlog, whose losses are
told as gaps.
"""

import asyncio

from livebot.hearing.backlog import Backlog

AHEAD_S = 10.0
"""So much may wait unheard before who sends has to wait."""

PATIENCE_S = 30.0
"""For so long it waits; then the engine is away, and speech goes on."""

BURST_S = 60.0
SPEED = 20.0
"""Silence is heard at once, and a message may hold hours of it: beyond the burst, audio is taken
so much faster than it was spoken at most."""

_STEP_S = 0.05
"""No shorter wait is worth a timer."""


class Pace:
    """One session's.

    Args:
        backlog: Where its audio waits.
        limit_s: How much the backlog holds.
    """

    def __init__(self, backlog: Backlog, limit_s: float) -> None:
        self._backlog = backlog
        self._ahead_s = min(AHEAD_S, limit_s / 2)
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._owed_s = -BURST_S / SPEED
        self._stuck_since: float | None = None
        self._stuck_s = 0.0

    async def taken(self, seconds: float) -> None:
        """Note that so much audio was taken; returns when more may come."""
        await self._slow_down(seconds)
        if self._backlog.seconds <= self._ahead_s:
            self._stuck_since = None
            return
        if self._stuck_since is None:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._backlog.below(self._ahead_s)
            except TimeoutError:
                self._stuck_since, self._stuck_s = self._loop.time(), 0.0
            return
        self._stuck_s += seconds
        await asyncio.sleep(max(0.0, self._stuck_since + self._stuck_s - self._loop.time()))

    async def _slow_down(self, seconds: float) -> None:
        now = self._loop.time()
        self._owed_s += seconds / SPEED - (now - self._since)
        self._owed_s = max(self._owed_s, -BURST_S / SPEED)
        self._since = now
        if self._owed_s > _STEP_S:
            await asyncio.sleep(self._owed_s)
