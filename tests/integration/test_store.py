"""Stores of several processes, and of processes that are killed."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livebot.metrics import Metrics
from livebot.store import Store
from livebot.store.records import EVERYTHING, Job, JobState
from tests.support import kept
from tests.support.stores import postgres_server, url

__all__ = ["postgres_server", "url"]

JOBS = 60


@asynccontextmanager
async def process(
    folder: Path, url: str, what: str, name: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that works with a store; it is killed in the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.store_process", str(folder), url, what, name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            os.kill(started.pid, signal.SIGKILL)
        await started.communicate()


async def _line(started: asyncio.subprocess.Process) -> str:
    assert started.stdout is not None
    async with asyncio.timeout(50):
        return (await started.stdout.readline()).decode().strip()


async def _jobs(folder: Path, url: str) -> list[Job]:
    async with Store(folder, url=url, metrics=Metrics()) as store:
        return list(await store.jobs.list(EVERYTHING, limit=1000))


async def test_two_processes_do_each_job_once(url: str, tmp_path: Path) -> None:
    """Whoever of them gets a job, it is begun once, ended once, and has one transcript.

    Spec: store/Jobs are done once.
    """
    async with (
        process(tmp_path, url, "work", "one") as one,
        process(tmp_path, url, "work", "two") as two,
        Store(tmp_path, url=url, metrics=Metrics()) as store,
    ):
        assert [await _line(worker) for worker in (one, two)] == ["ready", "ready"]
        for number in range(JOBS):
            await store.jobs.add(kept.job(created_at=float(number)))
        async with asyncio.timeout(50):
            outputs = await asyncio.gather(one.communicate(b"\n"), two.communicate(b"\n"))
    said = [output.decode().split() for output, _ in outputs]
    ended = Counter(said[0] + said[1])
    assert set(ended.values()) == {1}
    jobs = await _jobs(tmp_path, url)
    assert {job.id for job in jobs} == set(ended)
    assert {(job.state, job.attempts) for job in jobs} == {(JobState.COMPLETED, 1)}
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        for worker, ids in zip(("one", "two"), said, strict=True):
            for job in ids:
                whole = await store.transcripts.get(job, EVERYTHING)
                assert [one.text for one in whole.utterances] == [f"by {worker}"]


async def test_a_killed_workers_job_is_done_by_another(url: str, tmp_path: Path) -> None:
    """Once its lease has run out, and not before.

    Spec: store/Jobs are done once.
    """
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        job = kept.job()
        await store.jobs.add(job)
        async with process(tmp_path, url, "claim", "dead") as started:
            assert await _line(started) == job.id
        async with asyncio.timeout(50):
            # The database knows no events.
            while (again := await store.jobs.claim("alive", lease_s=60)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (again.id, again.attempts) == (job.id, 2)
        assert not await store.jobs.finish(job.id, "dead", JobState.COMPLETED)
        assert await store.jobs.finish(job.id, "alive", JobState.COMPLETED)


async def test_what_readers_had_is_there_after_a_kill(url: str, tmp_path: Path) -> None:
    """Every event that was given out before the process was killed comes back.

    Spec: store/Live sessions.
    """
    session = kept.new_id()
    async with process(tmp_path, url, "say", session) as started:
        for _ in range(100):
            last = int(await _line(started))
        started.kill()
        rest = (await started.communicate())[0].split()
        last = int(rest[-1]) if rest else last
    async with Store(tmp_path, url=url, metrics=Metrics()) as store:
        events = await store.live.events(session)
        assert [one.seq for one in events][:last] == list(range(1, last + 1))
        record = await store.live.get(session)
        assert record is not None
        assert not record.closed


async def test_processes_may_begin_together(url: str, tmp_path: Path) -> None:
    """Two services that start at once on nothing both come up.

    Spec: store/Migrations.
    """
    async with (
        process(tmp_path, url, "work", "one") as one,
        process(tmp_path, url, "work", "two") as two,
        asyncio.timeout(50),
    ):
        await asyncio.gather(one.communicate(b"\n"), two.communicate(b"\n"))
        assert (one.returncode, two.returncode) == (0, 0)
