"""Live sessions and their newest events, for clients that come back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import sqlalchemy as sa

from livebot.feeds.events import Numbered
from livebot.store import rows
from livebot.store.database import Database
from livebot.store.journal import Journal
from livebot.store.records import LiveRecord
from livebot.store.tables import LIVE_EVENTS, LIVE_SESSIONS, SHARES
from livebot.store.unbroken import unbroken

ERASED = (LIVE_EVENTS.name, LIVE_SESSIONS.name, SHARES.name)


class Live:
    """See `contract.Live`.

    Args:
        database: Where they are.
        journal: Writes events.
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._open: set[str] = set()

    @unbroken
    async def open(self, record: LiveRecord) -> None:
        """Remember a session, also one that was remembered and goes on."""
        self._open.add(record.id)
        values = {**asdict(record), "seen_at": time.time()}
        insert = self._database.insert(LIVE_SESSIONS)
        again = {name: insert.excluded[name] for name in values if name not in ("id", "epoch")}
        async with self._database.writing() as connection:
            await connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_=again), values
            )

    @unbroken
    async def get(self, session: str) -> LiveRecord | None:
        """Return one."""
        wanted = sa.select(LIVE_SESSIONS).where(LIVE_SESSIONS.c.id == session)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return None if row is None else rows.live(rows.plain(row))

    @unbroken
    async def events(self, session: str) -> Sequence[Numbered]:
        """Return its newest events, in order, without a gap."""
        wanted = sa.select(LIVE_EVENTS).where(LIVE_EVENTS.c.session == session)
        newest: list[Numbered] = []
        async with self._database.reading() as connection:
            found = await connection.execute(wanted.order_by(LIVE_EVENTS.c.seq.desc()))
            for row in found.mappings():
                if newest and row["seq"] != newest[-1].seq - 1:
                    break  # what was before a gap is of no use to a feed
                newest.append(rows.event(rows.plain(row)))
        return newest[::-1]

    def put(self, feed: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Keep an event of a session that is remembered; see `feeds.feed.Journal`."""
        session = feed.removeprefix("live/")
        self._open.add(session)
        self._journal.put(session, numbered, done)

    @unbroken
    async def close(self, session: str) -> None:
        """Note that it ended in order; its events stay for a while."""
        self._open.discard(session)
        closed = LIVE_SESSIONS.update().where(LIVE_SESSIONS.c.id == session)
        async with self._database.writing() as connection:
            await connection.execute(closed.values(closed=True, seen_at=time.time()))

    @unbroken
    async def forget(self, session: str) -> None:
        """Erase it and its events; no byte stays."""
        self._open.discard(session)
        await self._erase(_ids(LIVE_SESSIONS.c.id == session).with_for_update())
        await self._database.scrubber.wipe(ERASED)

    @unbroken
    async def blank(self, session: str, upto: int) -> None:
        """Erase its events up to a number, which are kept already; no byte stays."""
        gone = (LIVE_EVENTS.c.session == session) & (LIVE_EVENTS.c.seq <= upto)
        async with self._database.writing() as connection:
            await connection.execute(LIVE_EVENTS.delete().where(gone))
        await self._database.scrubber.wipe(ERASED)

    @unbroken
    async def keep(self) -> None:
        """Note that the sessions that are open here go on, though nobody may speak."""
        going = _free(LIVE_SESSIONS.c.id.in_(self._open) & ~LIVE_SESSIONS.c.closed)
        seen = LIVE_SESSIONS.update().where(LIVE_SESSIONS.c.id.in_(going))
        async with self._database.writing() as connection:
            await connection.execute(seen.values(seen_at=time.time()))

    @unbroken
    async def expire(self, before: float) -> int:
        """Erase those of which nothing was noted since a time."""
        erased = await self._erase(_free(LIVE_SESSIONS.c.seen_at < before))
        if erased:
            self._database.scrubber.soil(ERASED)
        return erased

    async def _erase(self, which: sa.Select[tuple[object]]) -> int:
        async with self._database.writing() as connection:
            gone = await connection.execute(
                LIVE_SESSIONS.delete()
                .where(LIVE_SESSIONS.c.id.in_(which))
                .returning(LIVE_SESSIONS.c.id)
            )
            ids = list(gone.scalars())
            for session in ids:
                await connection.execute(
                    LIVE_EVENTS.delete().where(LIVE_EVENTS.c.session == session)
                )
                link = (SHARES.c.kind == "live") & (SHARES.c.target == session)
                await connection.execute(SHARES.delete().where(link))
        return len(ids)


def _ids(which: sa.ColumnElement[bool]) -> sa.Select[tuple[object]]:
    return sa.select(LIVE_SESSIONS.c.id).where(which)


def _free(which: sa.ColumnElement[bool]) -> sa.Select[tuple[object]]:
    """Return those that nobody changes just now: who does has them in view."""
    return _ids(which).with_for_update(skip_locked=True)
