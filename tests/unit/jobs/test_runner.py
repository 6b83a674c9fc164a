"""Jobs are done once each, whatever happens to whom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from livebot.errors import EngineError, RecordingError, StoreError
from livebot.jobs import runner as module
from livebot.jobs.runner import LEASE_S, Runner
from livebot.recognising import OnProgress
from livebot.store.records import EVERYTHING, Job, JobState
from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from tests.support.fake_store import FakeJobs

pytestmark = pytest.mark.virtual_time

DONE = Transcript((Utterance((Word("So", 0.0, 0.5),)),), duration=9.0, source="a.wav")

Do = Callable[[Job, OnProgress], Awaitable[Transcript]]


@dataclass
class Bench:
    """A runner and what it does."""

    store: FakeJobs = field(default_factory=FakeJobs)
    over: list[tuple[str, bool]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_wanted: bool = True
    count: int = 0

    async def add(self, **more: object) -> str:
        """Add a job."""
        self.count += 1
        id_ = f"{self.count:032}"
        given = {"owner": "ops", "name": "a.wav", "path": "/a", "size": 1, **more}
        await self.store.add(Job(id=id_, **given))  # type: ignore[arg-type]
        return id_

    @asynccontextmanager
    async def running(self, do: Do, *, at_once: int = 2) -> AsyncIterator[Runner]:
        """Run one; it is stopped with the context."""

        async def wanted(_: Job) -> bool:
            return self.is_wanted

        async def over(job: Job, transcript: Transcript | None) -> None:
            self.over.append((job.id, transcript is not None))

        runner = Runner(
            self.store,
            do,
            at_once=at_once,
            max_hours=1.0,
            is_wanted=wanted,
            on_change=self.changed.append,
            on_over=over,
            on_fault=self.faults.append,
        )
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def state(self, job: str) -> JobState:
        """Return where a job is."""
        return self.store.all[job].state


async def quick(_: Job, on_progress: OnProgress) -> Transcript:
    """Take five seconds."""
    on_progress(4.0, 9.0)
    await asyncio.sleep(5)
    return DONE


async def never(_: Job, on_progress: OnProgress) -> Transcript:
    """Take for ever."""
    on_progress(1.0, 9.0)
    await asyncio.Event().wait()
    return DONE


async def test_jobs_are_done_in_order_and_some_at_once() -> None:
    """As many as there are slots."""
    bench = Bench()
    busy = most = 0
    order: list[str] = []

    async def do(job: Job, _: OnProgress) -> Transcript:
        nonlocal busy, most
        order.append(job.id)
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(20)
        busy -= 1
        return DONE

    jobs = [await bench.add() for _ in range(5)]
    async with bench.running(do):
        await asyncio.sleep(120)

    assert order == jobs
    assert most == 2
    assert sorted(bench.over) == [(job, True) for job in jobs]
    assert set(bench.store.transcripts) == set(jobs)
    assert {bench.store.all[job].attempts for job in jobs} == {1}
    assert bench.store.transcripts[jobs[0]].head.title == "a.wav"


async def test_progress_is_kept_with_the_lease() -> None:
    """And in the end it is all of it."""
    bench = Bench()
    job = await bench.add()
    async with bench.running(quick) as runner:
        await asyncio.sleep(4)
        assert runner.progress(job) == (4.0, 9.0)
        assert runner.progress("another") is None
        assert runner.running == 1
        assert (bench.store.all[job].heard_s, bench.store.all[job].total_s) == (4.0, 9.0)
        await asyncio.sleep(4)

    assert (bench.store.all[job].heard_s, bench.store.all[job].total_s) == (9.0, 9.0)
    assert job in bench.changed


async def test_a_new_job_is_begun_at_once_when_told() -> None:
    """Others' new ones within seconds."""
    bench = Bench()
    async with bench.running(quick) as runner:
        await asyncio.sleep(0.5)
        job = await bench.add()
        runner.wake()
        await asyncio.sleep(0.01)
        assert bench.state(job) is JobState.PROCESSING
        other = await bench.add()
        await asyncio.sleep(module.POLL_S * 2)
        assert bench.state(other) is JobState.PROCESSING


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (RecordingError("it is damaged"), "it is damaged"),
        (EngineError("no model"), "no model"),
        (ZeroDivisionError("secret"), "the service failed at it"),
        (ExceptionGroup("two", [EngineError("worker gone"), ValueError()]), "worker gone"),
    ],
)
async def test_what_fails_fails_alone(fault: Exception, told: str) -> None:
    """The next one is done; the owner learns what helps."""
    bench = Bench()

    async def do(job: Job, on_progress: OnProgress) -> Transcript:
        if job.id == failing:
            raise fault
        return await quick(job, on_progress)

    failing = await bench.add()
    good = await bench.add()
    with capture_logs():
        async with bench.running(do, at_once=1):
            await asyncio.sleep(30)

    assert bench.state(failing) is JobState.FAILED
    assert bench.store.all[failing].error.startswith(told)
    assert "secret" not in bench.store.all[failing].error
    assert bench.state(good) is JobState.COMPLETED
    assert bench.over == [(failing, False), (good, True)]
    assert failing not in bench.store.transcripts


async def test_a_canceled_job_is_left_at_once() -> None:
    """Where it is canceled here; elsewhere with the next renewal. Spec: jobs/Cancel."""
    bench = Bench()
    here, elsewhere = await bench.add(), await bench.add()
    async with bench.running(never) as runner:
        await asyncio.sleep(1)
        await bench.store.cancel(here, EVERYTHING)
        runner.stop(here)
        runner.stop("another")
        await asyncio.sleep(0.01)
        assert runner.progress(here) is None
        await bench.store.cancel(elsewhere, EVERYTHING)
        await asyncio.sleep(module.RENEW_S + 0.1)
        assert runner.progress(elsewhere) is None
        assert runner.running == 0

    assert bench.state(here) is JobState.CANCELED
    assert bench.state(elsewhere) is JobState.CANCELED
    assert bench.over == []


async def test_an_erased_job_leaves_nothing() -> None:
    """Not even a transcript of what was finished meanwhile."""
    bench = Bench()
    job = await bench.add()
    async with bench.running(quick):
        await asyncio.sleep(1)
        await bench.store.erase(job, EVERYTHING)
        await asyncio.sleep(10)

    assert not bench.store.all
    assert not bench.store.transcripts
    assert bench.over == []


async def test_jobs_are_given_back_when_the_runner_stops() -> None:
    """They wait, and that attempt does not count. Spec: jobs/Restarts."""
    bench = Bench()
    jobs = [await bench.add() for _ in range(3)]
    async with bench.running(never):
        await asyncio.sleep(1)

    assert [bench.state(job) for job in jobs] == [JobState.QUEUED] * 3
    assert {bench.store.all[job].attempts for job in jobs} == {0}
    async with bench.running(quick):
        await asyncio.sleep(30)
    assert [bench.state(job) for job in jobs] == [JobState.COMPLETED] * 3


async def test_the_job_of_a_dead_process_is_done_by_another_once() -> None:
    """As soon as its lease has run out, not before. Spec: jobs/Restarts."""
    bench = Bench()
    job = await bench.add()
    await bench.store.claim("dead", lease_s=LEASE_S)
    async with bench.running(quick):
        await asyncio.sleep(LEASE_S - 1)
        assert bench.store.all[job].attempts == 1
        await asyncio.sleep(1 + 2 * module.POLL_S + 5)

    assert bench.state(job) is JobState.COMPLETED
    assert bench.store.all[job].attempts == 2


async def test_a_run_that_lost_its_lease_ends_and_keeps_nothing() -> None:
    """Another one of the same process does the job. Spec: jobs/Restarts."""
    bench = Bench()
    begun = 0

    async def do(_: Job, __: OnProgress) -> Transcript:
        nonlocal begun
        begun += 1
        await asyncio.sleep(20)
        return DONE

    job = await bench.add()
    async with bench.running(do):
        await asyncio.sleep(0.5)
        bench.store.expire_leases()
        await asyncio.sleep(60)

    assert begun == 2
    assert bench.state(job) is JobState.COMPLETED
    assert bench.over == [(job, True)]


async def test_a_job_that_ends_its_process_is_given_up() -> None:
    """After three times. Spec: jobs/Restarts."""
    bench = Bench()
    job = await bench.add(attempts=3)
    async with bench.running(never):
        await asyncio.sleep(1)

    assert bench.state(job) is JobState.FAILED
    assert "begun 3 times" in bench.store.all[job].error


@pytest.mark.parametrize("told", [(0.0, 3601.0), (3601.0, 0.0), (3601.0, 5.0)])
async def test_too_long_recordings_end_as_soon_as_that_is_known(
    told: tuple[float, float],
) -> None:
    """Whether the file says so or it just goes on."""
    bench = Bench()

    async def do(_: Job, on_progress: OnProgress) -> Transcript:
        on_progress(0.0, 3600.0)
        await asyncio.sleep(1)
        on_progress(*told)
        await asyncio.Event().wait()
        return DONE

    job = await bench.add()
    async with bench.running(do):
        await asyncio.sleep(1.5)

    assert bench.state(job) is JobState.FAILED
    assert "longer than 1 hours" in bench.store.all[job].error


async def test_a_database_that_is_away_for_a_moment_costs_nothing() -> None:
    """What is being done goes on, and is kept once it is back."""
    bench = Bench()
    job = await bench.add()
    async with bench.running(quick) as runner:
        await asyncio.sleep(1)
        bench.store.fault = StoreError("away")
        await asyncio.sleep(7)
        assert runner.running == 1
        bench.store.fault = None
        await asyncio.sleep(5)

    assert bench.state(job) is JobState.COMPLETED
    assert bench.store.all[job].attempts == 1


async def test_a_database_that_stays_away_is_told() -> None:
    """Until it is back; a run whose lease has run out by then is left."""
    bench = Bench()
    job = await bench.add()
    async with bench.running(never, at_once=2) as runner:
        await asyncio.sleep(1)
        bench.store.fault = StoreError("the database is away")
        await asyncio.sleep(LEASE_S + 2 * module.RENEW_S)
        assert runner.fault == "the database is away"
        assert runner.running == 0
        assert bench.faults == ["claim"]
        bench.store.fault = None
        await asyncio.sleep(2 * module.POLL_S)
        assert runner.fault == ""
        assert runner.running == 1

    assert bench.store.all[job].attempts == 1  # given back in the end


async def test_an_ephemeral_job_without_anybody_who_waits_is_not_done() -> None:
    """Its process ended: nobody will ever fetch it."""
    bench = Bench(is_wanted=False)
    job = await bench.add(ephemeral=True)
    async with bench.running(never):
        await asyncio.sleep(1)

    assert bench.state(job) is JobState.FAILED
    assert bench.over == [(job, False)]


async def test_a_bug_in_the_store_ends_no_other_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be ended is left, and tried again after its lease."""
    bench = Bench()
    finish = bench.store.finish
    broken = await bench.add()
    good = await bench.add()

    async def spoilt(job: str, *given: object, **more: object) -> bool:
        if job == broken and bench.store.all[broken].attempts == 1:
            raise ZeroDivisionError
        return await finish(job, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "finish", spoilt)
    with capture_logs():
        async with bench.running(quick):
            await asyncio.sleep(60)

    assert bench.faults == ["bug"]
    assert bench.state(good) is JobState.COMPLETED
    assert bench.state(broken) is JobState.COMPLETED
    assert bench.store.all[broken].attempts == 2
