"""What goes when something is erased, inside of one transaction.

Rule: a job's row is locked before its transcript's, here as where jobs end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from livebot.feeds.events import Speaker
from livebot.store import scopes
from livebot.store.records import Scope
from livebot.store.tables import (
    AUDIO,
    GAPS,
    JOBS,
    LIVE_EVENTS,
    LIVE_SESSIONS,
    SHARES,
    TRANSCRIPTS,
    UTTERANCES,
)

TABLES = tuple(
    table.name for table in (AUDIO, GAPS, JOBS, LIVE_EVENTS, SHARES, TRANSCRIPTS, UTTERANCES)
)
"""Where there may have been something."""

AT_ONCE = 200
"""Transcripts in one transaction: others wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What was erased: how much, and which files are to follow.

    Attributes:
        count: Transcripts, jobs or utterances.
        audio: Names in the audio folder.
        uploads: Paths of uploaded files.
    """

    count: int = 0
    audio: Sequence[str] = ()
    uploads: Sequence[str] = ()


async def transcripts(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> Gone:
    """Erase some transcripts with all that belongs to them, at most `AT_ONCE`."""
    wanted = sa.select(TRANSCRIPTS.c.id).where(which).order_by(TRANSCRIPTS.c.id).limit(AT_ONCE)
    ids = list((await connection.execute(wanted)).scalars())
    return await by_id(connection, ids)


async def by_id(connection: AsyncConnection, ids: Sequence[str]) -> Gone:
    """Erase transcripts and jobs with all that belongs to them."""
    if not ids:
        return Gone()
    jobs = JOBS.c.id.in_(sa.select(JOBS.c.id).where(JOBS.c.id.in_(ids)).with_for_update())
    # What is returned is what was; the file is removed once all this is certain.
    uploads = (
        await connection.execute(JOBS.delete().where(jobs).returning(JOBS.c.path))
    ).scalars()
    links = (SHARES.c.kind == "transcript") & SHARES.c.target.in_(ids)
    await connection.execute(SHARES.delete().where(links))
    sessions = sa.select(LIVE_SESSIONS.c.id).where(LIVE_SESSIONS.c.transcript.in_(ids))
    await connection.execute(LIVE_EVENTS.delete().where(LIVE_EVENTS.c.session.in_(sessions)))
    its = TRANSCRIPTS.c.id.in_(ids)
    await connection.execute(sa.select(TRANSCRIPTS.c.id).where(its).with_for_update())
    audio = await connection.execute(sa.select(AUDIO.c.name).where(AUDIO.c.transcript.in_(ids)))
    await connection.execute(TRANSCRIPTS.delete().where(its))
    return Gone(len(ids), tuple(audio.scalars()), tuple(path for path in uploads if path))


async def person(connection: AsyncConnection, who: str, scope: Scope) -> Gone:
    """Erase what somebody said."""
    visible = sa.select(TRANSCRIPTS.c.id).where(scopes.transcripts(scope))
    await _live(connection, who, scope, visible)
    said = UTTERANCES.delete().where(_theirs(UTTERANCES, who, visible))
    count = (await connection.execute(said)).rowcount
    await connection.execute(GAPS.delete().where(_theirs(GAPS, who, visible)))
    chunks = AUDIO.delete().where(_theirs(AUDIO, who, visible)).returning(AUDIO.c.name)
    return Gone(count, tuple((await connection.execute(chunks)).scalars()))


class _Spoken(msgspec.Struct):
    """Of an event, who spoke; notices have nobody."""

    speaker: Speaker = Speaker()


_SPOKEN = msgspec.json.Decoder(_Spoken)


async def _live(
    connection: AsyncConnection, who: str, scope: Scope, visible: sa.Select[tuple[object]]
) -> None:
    """Erase what somebody said from the events of live sessions."""
    names = sa.select(UTTERANCES.c.speaker).where(_theirs(UTTERANCES, who, visible)).distinct()
    shown = {name for name in (await connection.execute(names)).scalars() if name}
    shown |= {who.removeprefix("guest:")}
    own = sa.true() if scope.owner is None else LIVE_SESSIONS.c.owner == scope.owner
    sessions = sa.select(LIVE_SESSIONS.c.id).where(LIVE_SESSIONS.c.transcript.in_(visible) | own)
    # Few events have the name in them at all; only those are looked into.
    found = await connection.execute(
        sa.select(LIVE_EVENTS).where(
            LIVE_EVENTS.c.session.in_(sessions),
            sa.or_(*(_has(name) for name in {who, *shown})),
        )
    )
    theirs = [
        {"its": row.session, "number": row.seq}
        for row in found
        if _is_of(_SPOKEN.decode(row.event).speaker, who, shown)
    ]
    if theirs:
        one = LIVE_EVENTS.c.session == sa.bindparam("its")
        one &= LIVE_EVENTS.c.seq == sa.bindparam("number")
        await connection.execute(LIVE_EVENTS.delete().where(one), theirs)


def _is_of(speaker: Speaker, who: str, shown: Iterable[str]) -> bool:
    return speaker.id == who or speaker.name in shown


def _has(name: str) -> sa.ColumnElement[bool]:
    as_json = msgspec.json.encode(name).decode()
    return LIVE_EVENTS.c.event.contains(as_json, autoescape=True)


def _theirs(
    table: sa.Table, who: str, visible: sa.Select[tuple[object]]
) -> sa.ColumnElement[bool]:
    return (table.c.person == who) & table.c.transcript.in_(visible)
