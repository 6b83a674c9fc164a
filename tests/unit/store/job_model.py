"""What jobs should do, in the simplest words there are."""

from dataclasses import dataclass

from hypothesis import strategies as st

from livebot.store.jobs import Jobs
from livebot.store.records import EVERYTHING, JobState
from tests.support import kept

LEASE_S = 10.0
WORKERS = ("a", "b")


def operations() -> st.SearchStrategy[tuple[object, ...]]:
    """Return what may happen: its name, which job, which worker or how long."""
    which, who = st.integers(0, 3), st.sampled_from(WORKERS)
    acts = st.sampled_from(["renew", "give_back", "complete", "fail"])
    return st.one_of(
        st.just(("add",)),
        st.tuples(st.just("claim"), who),
        st.tuples(acts, which, who),
        st.tuples(st.just("cancel"), which),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 6.0, 11.0])),
    )


@dataclass
class _Job:
    id: str
    state: JobState = JobState.QUEUED
    worker: str = ""
    until: float = 0.0
    attempts: int = 0


class Model:
    """Does each step to the real jobs and to the model, and compares.

    Args:
        real: The real ones.
    """

    def __init__(self, real: Jobs) -> None:
        self._real = real
        self._now = 1000.0
        self._jobs: list[_Job] = []
        real._now = lambda: self._now

    async def do(self, step: tuple[object, ...]) -> None:
        """Do one step."""
        match step:
            case ("add",):
                job = kept.job(created_at=float(len(self._jobs)))
                await self._real.add(job)
                self._jobs.append(_Job(job.id))
            case ("claim", str() as who):
                await self._claim(who)
            case ("wait", float() as seconds):
                self._now += seconds
            case ("cancel", int() as which) if which < len(self._jobs):
                await self._cancel(self._jobs[which])
            case (str() as act, int() as which, str() as who) if which < len(self._jobs):
                await self._act(act, self._jobs[which], who)

    async def check(self) -> None:
        """Compare all."""
        for job in self._jobs:
            real = await self._real.get(job.id, EVERYTHING)
            assert (real.state, real.attempts) == (job.state, job.attempts)

    async def _claim(self, who: str) -> None:
        free = [job for job in self._jobs if self._is_free(job)]
        got = await self._real.claim(who, lease_s=LEASE_S)
        assert (got.id if got else None) == (free[0].id if free else None)
        if free:
            job = free[0]
            job.state, job.worker, job.until = JobState.PROCESSING, who, self._now + LEASE_S
            job.attempts += 1

    async def _cancel(self, job: _Job) -> None:
        if not job.state.is_over:
            job.state = JobState.CANCELED
        assert (await self._real.cancel(job.id, EVERYTHING)).state is job.state

    async def _act(self, act: str, job: _Job, who: str) -> None:
        is_ours = job.state is JobState.PROCESSING and job.worker == who
        match act:
            case "renew":
                answer = await self._real.renew(job.id, who, lease_s=LEASE_S, heard_s=0, total_s=0)
                assert answer == is_ours
                job.until = self._now + LEASE_S if is_ours else job.until
            case "give_back":
                await self._real.give_back(job.id, who)
                job.state = JobState.QUEUED if is_ours else job.state
                job.attempts -= is_ours
            case _:
                state = JobState.COMPLETED if act == "complete" else JobState.FAILED
                assert await self._real.finish(job.id, who, state) == is_ours
                job.state = state if is_ours else job.state

    def _is_free(self, job: _Job) -> bool:
        is_left = job.state is JobState.PROCESSING and job.until <= self._now
        return job.state is JobState.QUEUED or is_left
