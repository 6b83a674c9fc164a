"""File jobs, each done by one of all processes that share the database."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from livebot.errors import NotFoundError
from livebot.store import erasing, files, rows, scopes, transcripts
from livebot.store.audio import Audio
from livebot.store.database import Database
from livebot.store.records import Job, JobState, Scope, StoredTranscript
from livebot.store.tables import JOBS
from livebot.store.unbroken import unbroken

_OPEN = (JobState.QUEUED.value, JobState.PROCESSING.value)


class Jobs:
    """See `contract.Jobs`.

    Args:
        database: Where they are.
        audio: Files of their transcripts.
        now: The time, in seconds since 1970. Processes on several machines need the same, or
            leases end early.
    """

    def __init__(
        self, database: Database, audio: Audio, *, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._audio = audio
        self._now = now

    @unbroken
    async def add(self, job: Job) -> None:
        """Add one that is queued."""
        async with self._database.writing() as connection:
            await connection.execute(JOBS.insert(), rows.of_job(job))

    @unbroken
    async def get(self, job: str, scope: Scope) -> Job:
        """Return one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        wanted = sa.select(JOBS).where(JOBS.c.id == job, scopes.jobs(scope))
        async with self._database.reading() as connection:
            return await _one(connection, wanted)

    @unbroken
    async def list(self, scope: Scope, *, limit: int = 100, state: str = "") -> Sequence[Job]:
        """Return them, newest first, without ephemeral ones."""
        wanted = sa.select(JOBS).where(scopes.jobs(scope), ~JOBS.c.ephemeral)
        if state:
            wanted = wanted.where(JOBS.c.state == state)
        wanted = wanted.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(max(limit, 1))
        return await self._jobs(wanted)

    @unbroken
    async def count_waiting(self, owner: str | None = None) -> int:
        """Return how many are queued."""
        waiting = sa.select(sa.func.count()).where(
            JOBS.c.state == JobState.QUEUED.value, scopes.jobs(Scope(owner=owner))
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(waiting)).scalar_one())

    @unbroken
    async def claim(self, worker: str, *, lease_s: float) -> Job | None:
        """Take the oldest that is queued, or whose worker's lease ran out."""
        now = self._now()
        is_left = (JOBS.c.state == JobState.PROCESSING.value) & (JOBS.c.lease_until <= now)
        oldest = (
            sa.select(JOBS.c.id)
            .where((JOBS.c.state == JobState.QUEUED.value) | is_left)
            .order_by(JOBS.c.created_at, JOBS.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            if (found := (await connection.execute(oldest)).scalar()) is None:
                return None
            taken = JOBS.update().where(JOBS.c.id == found)
            row = await connection.execute(
                taken.values(
                    state=JobState.PROCESSING.value,
                    worker=worker,
                    lease_until=now + lease_s,
                    attempts=JOBS.c.attempts + 1,
                    started_at=now,
                    heard_s=0.0,
                ).returning(*JOBS.c)
            )
            return rows.job(rows.plain(row.mappings().one()))

    @unbroken
    async def renew(
        self, job: str, worker: str, *, lease_s: float, heard_s: float, total_s: float
    ) -> bool:
        """Keep a job, and note its progress; False where it is no longer ours."""
        kept = _ours(job, worker).values(
            lease_until=self._now() + lease_s, heard_s=heard_s, total_s=total_s
        )
        async with self._database.writing() as connection:
            return bool((await connection.execute(kept)).rowcount)

    @unbroken
    async def finish(
        self,
        job: str,
        worker: str,
        state: JobState,
        *,
        error: str = "",
        transcript: StoredTranscript | None = None,
    ) -> bool:
        """End a job, its transcript in the same transaction; False where it is not ours.

        Its path is empty then: the worker, who knows it, removes the file or has moved it.
        """
        values: dict[str, object] = {"state": state.value, "error": error, **self._over()}
        if state is JobState.COMPLETED:
            values["heard_s"] = JOBS.c.total_s
        async with self._database.writing() as connection:
            ended = await connection.execute(_ours(job, worker).values(values))
            if not ended.rowcount:
                return False
            if transcript is not None:
                await transcripts.complete(self._database, connection, transcript)
            return True

    @unbroken
    async def give_back(self, job: str, worker: str) -> None:
        """Let somebody else do it: we are about to stop. That was no attempt."""
        free: dict[str, object] = {
            "state": JobState.QUEUED.value,
            "worker": "",
            "lease_until": None,
            "heard_s": 0.0,
        }
        free["attempts"] = JOBS.c.attempts - 1
        async with self._database.writing() as connection:
            await connection.execute(_ours(job, worker).values(free))

    @unbroken
    async def cancel(self, job: str, scope: Scope) -> Job:
        """Cancel one that is not over, and remove its file; return it as it is then.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        wanted = sa.select(JOBS).where(JOBS.c.id == job, scopes.jobs(scope)).with_for_update()
        over = JOBS.update().where(JOBS.c.id == job)
        over = over.values(state=JobState.CANCELED.value, **self._over())
        async with self._database.writing() as connection:
            found = await _one(connection, wanted)
            if found.state.is_over:
                return found
            canceled = await _one(connection, over.returning(*JOBS.c))
        await files.remove([Path(found.path)] if found.path else [])
        return canceled

    @unbroken
    async def erase(self, job: str, scope: Scope) -> None:
        """Erase one with its transcript and its file.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """
        if not await self._erase((JOBS.c.id == job) & scopes.jobs(scope)):
            raise NotFoundError("there is no such job")
        await self._database.scrubber.scrub(erasing.TABLES)

    @unbroken
    async def expire(self, before: float) -> int:
        """Erase those that were over before a time."""
        erased = await self._erase(JOBS.c.finished_at < before)
        if erased:
            self._database.scrubber.soil(erasing.TABLES)
        return erased

    @unbroken
    async def untold(self) -> Sequence[Job]:
        """Return those that are over and whose webhook is still to be told."""
        over = sa.select(JOBS).where(JOBS.c.state.not_in(_OPEN), ~JOBS.c.told)
        return await self._jobs(over.order_by(JOBS.c.finished_at, JOBS.c.id))

    @unbroken
    async def told(self, job: str) -> None:
        """Note that the webhook was told, or that we gave up."""
        async with self._database.writing() as connection:
            await connection.execute(JOBS.update().where(JOBS.c.id == job).values(told=True))

    @unbroken
    async def paths(self) -> frozenset[str]:
        """Return the files that jobs still need; others in the upload folder are left-overs."""
        needed = sa.select(JOBS.c.path).where(JOBS.c.path != "")
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(needed)).scalars())

    async def _erase(self, which: sa.ColumnElement[bool]) -> int:
        some = sa.select(JOBS.c.id).where(which).order_by(JOBS.c.id).limit(erasing.AT_ONCE)
        erased = 0
        while True:
            async with self._database.writing() as connection:
                ids = list((await connection.execute(some)).scalars())
                gone = await erasing.by_id(connection, ids)
            await self._audio.remove(gone.audio)
            await files.remove(Path(path) for path in gone.uploads)
            erased += gone.count
            if gone.count < erasing.AT_ONCE:
                return erased

    def _over(self) -> dict[str, object]:
        return {"finished_at": self._now(), "path": "", "worker": "", "lease_until": None}

    async def _jobs(self, wanted: sa.Select[tuple[object, ...]]) -> Sequence[Job]:
        async with self._database.reading() as connection:
            found = await connection.execute(wanted)
            return [rows.job(rows.plain(row)) for row in found.mappings()]


async def _one(connection: AsyncConnection, wanted: sa.Executable) -> Job:
    if (row := (await connection.execute(wanted)).mappings().first()) is None:
        raise NotFoundError("there is no such job")
    return rows.job(rows.plain(row))


def _ours(job: str, worker: str) -> sa.Update:
    return JOBS.update().where(
        JOBS.c.id == job, JOBS.c.worker == worker, JOBS.c.state == JobState.PROCESSING.value
    )
