"""Transcripts: begun, added to, read, found, erased."""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from livebot.errors import NotFoundError
from livebot.store import erasing, files, finding, rows, scopes
from livebot.store.audio import Audio
from livebot.store.database import Database
from livebot.store.folding import clean
from livebot.store.records import (
    Kind,
    Page,
    Scope,
    StoredGap,
    StoredTranscript,
    StoredUtterance,
    TranscriptHead,
)
from livebot.store.tables import GAPS, TRANSCRIPTS, UTTERANCES
from livebot.store.unbroken import unbroken


class Transcripts:
    """See `contract.Transcripts`.

    Args:
        database: Where they are.
        audio: Their files.
    """

    def __init__(self, database: Database, audio: Audio) -> None:
        self._database = database
        self._audio = audio

    @unbroken
    async def begin(self, head: TranscriptHead) -> None:
        """Begin one; nothing changes where there is one of this id."""
        insert = self._database.insert(TRANSCRIPTS).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            await connection.execute(insert, rows.of_head(head))

    @unbroken
    async def add(
        self,
        transcript: str,
        utterances: Sequence[StoredUtterance] = (),
        gaps: Sequence[StoredGap] = (),
    ) -> None:
        """Add to one, all or nothing; ignored where it was erased meanwhile."""
        async with self._database.writing() as connection:
            # Whoever erases it now waits until this is in, and erases it, too.
            there = sa.select(TRANSCRIPTS.c.id).where(TRANSCRIPTS.c.id == transcript)
            if (await connection.execute(there.with_for_update(read=True))).first() is not None:
                await _insert(connection, transcript, utterances, gaps)

    @unbroken
    async def end(
        self, transcript: str, *, ended_at: float, duration: float, language: str = ""
    ) -> None:
        """Say that nothing more comes."""
        values: dict[str, object] = {"ended_at": ended_at, "duration": duration}
        if language:
            values["language"] = language
        async with self._database.writing() as connection:
            await connection.execute(
                TRANSCRIPTS.update().where(TRANSCRIPTS.c.id == transcript).values(values)
            )

    @unbroken
    async def complete(self, transcript: StoredTranscript) -> None:
        """Keep a whole one at once, in place of whatever has its id."""
        async with self._database.writing() as connection:
            await complete(self._database, connection, transcript)

    @unbroken
    async def get(self, transcript: str, scope: Scope) -> StoredTranscript:
        """Return one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        head = sa.select(TRANSCRIPTS).where(
            TRANSCRIPTS.c.id == transcript, scopes.transcripts(scope)
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(head)).mappings().first()
            if found is None:
                raise NotFoundError("there is no such transcript")
            said = await connection.execute(_of(UTTERANCES, transcript))
            lost = await connection.execute(_of(GAPS, transcript))
            return StoredTranscript(
                rows.head(rows.plain(found)),
                tuple(rows.utterance(rows.plain(row)) for row in said.mappings()),
                tuple(rows.gap(rows.plain(row)) for row in lost.mappings()),
            )

    @unbroken
    async def find(
        self,
        scope: Scope,
        *,
        query: str = "",
        kind: str = "",
        room: str = "",
        person: str = "",
        limit: int = 50,
        cursor: str = "",
    ) -> Page:
        """Return heads, newest first.

        Raises:
            RequestError: The cursor is none of ours, or the query is too long.
        """
        wanted = finding.Wanted(query=query, kind=kind, room=room, person=person)
        statement = finding.select(scope, wanted, limit=limit, cursor=cursor)
        async with self._database.reading() as connection:
            found = [rows.plain(row) for row in (await connection.execute(statement)).mappings()]
        return finding.page(found, limit=limit, has_query=bool(query))

    @unbroken
    async def erase(self, transcript: str, scope: Scope) -> None:
        """Erase one with its audio; no byte of it stays in the database's file.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        one = (TRANSCRIPTS.c.id == transcript) & scopes.transcripts(scope)
        if not await self._erase(one):
            raise NotFoundError("there is no such transcript")
        await self._database.scrubber.scrub(erasing.TABLES)

    @unbroken
    async def erase_room(self, room: str, scope: Scope) -> int:
        """Erase all of a room; return how many."""
        its = (TRANSCRIPTS.c.kind == Kind.CALL.value) & (TRANSCRIPTS.c.room == room)
        erased = await self._erase(its & scopes.transcripts(scope))
        if erased:
            await self._database.scrubber.scrub(erasing.TABLES)
        return erased

    @unbroken
    async def erase_person(self, person: str, scope: Scope) -> int:
        """Erase what somebody said, everywhere in scope, with the audio.

        Returns:
            How many utterances that were.
        """
        if not (person := clean(person)):
            return 0  # nobody knows who those are, who have no name
        async with self._database.writing() as connection:
            gone = await erasing.person(connection, person, scope)
        await self._audio.remove(gone.audio)
        # Events may have gone though no utterance did.
        await self._database.scrubber.scrub(erasing.TABLES)
        return gone.count

    @unbroken
    async def expire(self, before: float) -> int:
        """Erase what ended before a time; return how many.

        Those that never ended count from their last utterance.
        """
        erased = await self._erase(_last_said() < before)
        if erased:
            self._database.scrubber.soil(erasing.TABLES)
        return erased

    async def _erase(self, which: sa.ColumnElement[bool]) -> int:
        erased = 0
        while True:
            async with self._database.writing() as connection:
                gone = await erasing.transcripts(connection, which)
            await self._audio.remove(gone.audio)
            await files.remove(Path(path) for path in gone.uploads)
            erased += gone.count
            if gone.count < erasing.AT_ONCE:
                return erased


async def complete(
    database: Database, connection: AsyncConnection, transcript: StoredTranscript
) -> None:
    """Keep a whole transcript inside of a transaction; audio that was noted of it stays."""
    head = rows.of_head(transcript.head)
    insert = database.insert(TRANSCRIPTS)
    changed = {name: insert.excluded[name] for name in head if name != "id"}
    await connection.execute(
        insert.on_conflict_do_update(index_elements=["id"], set_=changed), head
    )
    for table in (UTTERANCES, GAPS):
        await connection.execute(table.delete().where(table.c.transcript == transcript.head.id))
    await _insert(connection, transcript.head.id, transcript.utterances, transcript.gaps)


async def _insert(
    connection: AsyncConnection,
    transcript: str,
    utterances: Sequence[StoredUtterance],
    gaps: Sequence[StoredGap],
) -> None:
    if utterances:
        said = [rows.of_utterance(transcript, utterance) for utterance in utterances]
        await connection.execute(UTTERANCES.insert(), said)
    if gaps:
        await connection.execute(GAPS.insert(), [rows.of_gap(transcript, gap) for gap in gaps])


def _of(table: sa.Table, transcript: str) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(table)
        .where(table.c.transcript == transcript)
        .order_by(table.c.start, table.c.id)
    )


def _last_said() -> sa.ColumnElement[float]:
    """Return when a transcript ended, or when something was said last."""
    last = sa.select(sa.func.max(UTTERANCES.c.end)).where(
        UTTERANCES.c.transcript == TRANSCRIPTS.c.id
    )
    spoken = sa.func.coalesce(last.scalar_subquery(), 0.0)
    return sa.func.coalesce(TRANSCRIPTS.c.ended_at, TRANSCRIPTS.c.started_at + spoken)
