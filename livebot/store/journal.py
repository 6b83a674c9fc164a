"""Keeps events of live sessions, those of all of them that wait in one transaction.

Who publishes never waits. Where the database is slow, the batches grow. Where it stands still,
events are let through and kept once it goes on; where it fails, they are let through, counted,
and lost: captions do not wait for a disk.
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
"""Events of all sessions; beyond, those that wait are lost."""

AT_ONCE = 2_000
"""Events in one transaction."""

DEADLINE_S = 3.0
"""For one transaction; from then on, until it is over, readers wait for none."""

TRIM_EVERY = 512
"""After so many events of a session, those are erased that its feed no longer has either."""

log = logs.get("store")


@dataclass(slots=True)
class _Waiting:
    """An event on its way."""

    session: str
    numbered: Numbered
    done: Callable[[int], None]
    is_told: bool = False

    def tell(self) -> None:
        """Let readers have it, if they have not."""
        if not self.is_told:
            self.is_told = True
            self.done(self.numbered.seq)


class Journal:
    """The one writer of events; somebody runs it.

    Args:
        database: Where they go.
        metrics: Where those that are lost are counted.

    Attributes:
        lost: How many events were not kept.
        is_failing: Whether readers are told what is not kept.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._batch: Sequence[_Waiting] = ()
        self._is_late = False
        self._stopping = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.lost = 0
        self.is_failing = False

    def put(self, session: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Keep an event; never waits."""
        if len(self._waiting) >= MOST_WAITING:
            self._tell_all()
            self._lose_waiting()
        waiting = _Waiting(session, numbered, done)
        self._waiting.append(waiting)
        if self._is_late:
            waiting.tell()
        self._idle.clear()
        self._wake.set()

    def stop(self) -> None:
        """Let `run` end once all is written, or the database stands still."""
        self._stopping = True
        self._wake.set()

    async def flushed(self) -> None:
        """Wait until what was put is written or lost."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until told to stop."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                size = min(len(self._waiting), AT_ONCE)
                await self._write([self._waiting.popleft() for _ in range(size)])
            self._idle.set()
            if self._stopping:
                return

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        self._batch = batch
        work = self._database.works.begin(self._keep(batch))
        is_kept = await self._is_kept(work)
        if is_kept:
            self.is_failing = False
        else:
            self._lose(len(batch))
        for waiting in batch:
            waiting.tell()
        self._batch, self._is_late = (), False

    async def _is_kept(self, work: asyncio.Task[None]) -> bool:
        """Wait until it is certain whether the batch is kept."""
        while True:
            await asyncio.wait({work}, timeout=DEADLINE_S)
            if work.done():
                break
            self._tell_all()
            if self._stopping:
                self._lose_waiting()
                return False
        try:
            await work
        except StoreError:
            return False
        return True

    def _tell_all(self) -> None:
        """Let readers have all that there is, kept or not, and what comes meanwhile."""
        if not self._is_late:
            log.warning("events_not_kept_in_time")
        self._is_late = self.is_failing = True
        for waiting in (*self._batch, *self._waiting):
            waiting.tell()

    def _lose_waiting(self) -> None:
        self._lose(len(self._waiting))
        self._waiting.clear()

    def _lose(self, count: int) -> None:
        self.lost += count
        self._metrics.errors.labels("store", "event_not_kept").inc(count)
        if not self.is_failing:
            log.warning("events_not_kept")
        self.is_failing = True

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
