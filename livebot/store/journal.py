"""Keeps events of live sessions, those of all of them that wait in one transaction.

Who publishes never waits. Where the database is slow, the batches grow; where it stands still or
fails, events are let through unkept and counted: captions do not wait for a disk.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from livebot import logs
from livebot.errors import StoreError
from livebot.feeds.events import Numbered
from livebot.feeds.feed import MOST_EVENTS
from livebot.metrics import Metrics
from livebot.store import rows
from livebot.store.database import Database
from livebot.store.tables import LIVE_EVENTS, LIVE_SESSIONS

MOST_WAITING = 20_000
"""Events of all sessions; beyond, those that wait are let through unkept."""

AT_ONCE = 2_000
"""Events in one transaction."""

DEADLINE_S = 5.0
"""For one transaction: so late may captions be because of a disk, once."""

TRIM_EVERY = 512
"""After so many events of a session, those are erased that its feed no longer has either."""

log = logs.get("store")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event on its way."""

    session: str
    numbered: Numbered
    done: Callable[[int], None]


class Journal:
    """The one writer of events; somebody runs it.

    Args:
        database: Where they go.
        metrics: Where those that are lost are counted.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._passed: dict[str, _Waiting] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._is_stuck = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.lost = 0
        self.is_failing = False

    def put(self, session: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Keep an event; never waits."""
        if len(self._waiting) >= MOST_WAITING:
            self._let_through()
        self._waiting.append(_Waiting(session, numbered, done))
        self._idle.clear()
        self._wake.set()

    def stop(self) -> None:
        """Let `run` end once all is written."""
        self._stopping = True
        self._wake.set()

    async def flushed(self) -> None:
        """Wait until what was put is written or let through."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until told to stop."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                size = min(len(self._waiting), AT_ONCE)
                await self._write([self._waiting.popleft() for _ in range(size)])
                if self._stopping and self.is_failing:
                    self._let_through()
                self._release_passed()
            self._idle.set()
            if self._stopping:
                return

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        if await self._insert(batch):
            self.is_failing = False
        else:
            self._lose(len(batch))
        for waiting in batch:
            waiting.done(waiting.numbered.seq)

    async def _insert(self, batch: Sequence[_Waiting]) -> bool:
        if self._is_stuck:
            return False
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._database.works.do(self._alone(batch))
        except (StoreError, TimeoutError):
            return False
        return True

    async def _alone(self, batch: Sequence[_Waiting]) -> None:
        # Where this goes on after its deadline, no more is begun until it is over.
        self._is_stuck = True
        try:
            await self._keep(batch)
        finally:
            self._is_stuck = False

    async def _keep(self, batch: Sequence[_Waiting]) -> None:
        ours = LIVE_SESSIONS.c.id.in_({waiting.session for waiting in batch})
        locked = sa.select(LIVE_SESSIONS.c.id).where(ours).order_by(LIVE_SESSIONS.c.id)
        seen = LIVE_SESSIONS.update().where(LIVE_SESSIONS.c.id.in_(locked.with_for_update()))
        async with self._database.writing() as connection:
            found = await connection.execute(
                seen.values(seen_at=time.time()).returning(LIVE_SESSIONS.c.id)
            )
            known = frozenset(found.scalars())
            kept = [w for w in batch if w.session in known]
            if not kept:
                return
            insert = self._database.insert(LIVE_EVENTS).on_conflict_do_nothing()
            await connection.execute(insert, [rows.of_event(w.session, w.numbered) for w in kept])
            for waiting in kept:
                if not (seq := waiting.numbered.seq) % TRIM_EVERY and seq > MOST_EVENTS:
                    old = LIVE_EVENTS.c.session == waiting.session
                    old &= LIVE_EVENTS.c.seq <= seq - MOST_EVENTS
                    await connection.execute(LIVE_EVENTS.delete().where(old))

    def _let_through(self) -> None:
        """Give up on all that wait; what is being written is told first."""
        self._lose(len(self._waiting))
        for waiting in self._waiting:
            self._passed[waiting.session] = waiting
        self._waiting.clear()

    def _release_passed(self) -> None:
        passed, self._passed = self._passed, {}
        for waiting in passed.values():
            waiting.done(waiting.numbered.seq)

    def _lose(self, count: int) -> None:
        self.lost += count
        self._metrics.errors.labels("store", "event_not_kept").inc(count)
        if not self.is_failing:
            log.warning("events_not_kept")
        self.is_failing = True
