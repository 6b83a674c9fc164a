"""Jobs in memory, as `store.jobs` keeps them; for tests whose time is virtual.

jobs = FakeJobs()
jobs.fault = StoreError("away")  # from now on; None where all is well again
jobs.seen                        # every state of every job, in order
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from livebot.errors import NotFoundError, StoreError
from livebot.store.records import Job, JobState, Scope, StoredTranscript


@dataclass(slots=True)
class _Lease:
    worker: str = ""
    until: float = 0.0


class FakeJobs:
    """See above; a `store.contract.Jobs`."""

    def __init__(self) -> None:
        self.all: dict[str, Job] = {}
        self.transcripts: dict[str, StoredTranscript] = {}
        self.seen: list[tuple[str, JobState]] = []
        self.fault: StoreError | None = None
        self._leases: dict[str, _Lease] = {}

    async def add(self, job: Job) -> None:
        """Add one."""
        await self._answer()
        self._leases[job.id] = _Lease()
        self._put(job)

    async def get(self, job: str, scope: Scope) -> Job:
        """Return one."""
        await self._answer()
        found = self.all.get(job)
        if found is None or scope.owner not in {None, found.owner}:
            raise NotFoundError("there is no such job")
        return found

    async def list(self, scope: Scope, *, limit: int = 100, state: str = "") -> Sequence[Job]:
        """Return them."""
        await self._answer()
        found = [
            job
            for job in reversed(self.all.values())
            if scope.owner in {None, job.owner} and state in {"", job.state} and not job.ephemeral
        ]
        return found[:limit]

    async def count_waiting(self, owner: str | None = None) -> int:
        """Return how many are queued."""
        return len(await self.list(Scope(owner=owner), limit=10**9, state=JobState.QUEUED))

    async def claim(self, worker: str, *, lease_s: float) -> Job | None:
        """Take one."""
        await self._answer()
        now = asyncio.get_running_loop().time()
        for job in self.all.values():
            lease = self._leases[job.id]
            is_left = job.state is JobState.PROCESSING and lease.until <= now
            if job.state is JobState.QUEUED or is_left:
                self._leases[job.id] = _Lease(worker, now + lease_s)
                return self._put(
                    replace(job, state=JobState.PROCESSING, attempts=job.attempts + 1)
                )
        return None

    async def renew(
        self, job: str, worker: str, *, lease_s: float, heard_s: float, total_s: float
    ) -> bool:
        """Keep one."""
        await self._answer()
        if not self._is_held(job, worker):
            return False
        self._leases[job].until = asyncio.get_running_loop().time() + lease_s
        self.all[job] = replace(self.all[job], heard_s=heard_s, total_s=total_s)
        return True

    async def finish(
        self,
        job: str,
        worker: str,
        state: JobState,
        *,
        error: str = "",
        transcript: StoredTranscript | None = None,
    ) -> bool:
        """End one."""
        await self._answer()
        if not self._is_held(job, worker):
            return False
        self._put(replace(self.all[job], state=state, error=error, path=""))
        if transcript is not None:
            assert job not in self.transcripts, "done twice"
            self.transcripts[job] = transcript
        return True

    async def give_back(self, job: str, worker: str) -> None:
        """Let somebody else do it."""
        await self._answer()
        if self._is_held(job, worker):
            found = self.all[job]
            self._put(replace(found, state=JobState.QUEUED, attempts=found.attempts - 1))

    async def cancel(self, job: str, scope: Scope) -> Job:
        """Cancel one."""
        found = await self.get(job, scope)
        if found.state.is_over:
            return found
        return self._put(replace(found, state=JobState.CANCELED, path=""))

    async def erase(self, job: str, scope: Scope) -> None:
        """Erase one."""
        await self.get(job, scope)
        del self.all[job]
        self.transcripts.pop(job, None)

    async def untold(self) -> Sequence[Job]:
        """Return those that are over and not told."""
        await self._answer()
        return [job for job in self.all.values() if job.state.is_over and not job.told]

    async def told(self, job: str) -> None:
        """Note it."""
        await self._answer()
        if job in self.all:
            self.all[job] = replace(self.all[job], told=True)

    async def expire(self, before: float) -> int:
        """Erase none."""
        del before
        return 0

    async def paths(self) -> frozenset[str]:
        """Return the files that are needed."""
        await self._answer()
        return frozenset(job.path for job in self.all.values() if job.path)

    def expire_leases(self) -> None:
        """Be later: whoever works has lost its job."""
        for lease in self._leases.values():
            lease.until = float("-inf")

    def _is_held(self, job: str, worker: str) -> bool:
        found = self.all.get(job)
        is_being_done = found is not None and found.state is JobState.PROCESSING
        return is_being_done and self._leases[job].worker == worker

    def _put(self, job: Job) -> Job:
        self.all[job.id] = job
        self.seen.append((job.id, job.state))
        return job

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
