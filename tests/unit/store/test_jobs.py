"""Jobs: each is done by one, whoever else wants it."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from livebot.errors import NotFoundError
from livebot.store import Store
from livebot.store.records import EVERYTHING, Job, JobOptions, JobState, Scope
from tests.support import kept
from tests.unit.store.job_model import Model, operations

OPS = Scope(owner="ops")


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=st.lists(operations(), max_size=25))
async def test_jobs_are_as_the_model_says(store: Store, steps: list[tuple[object, ...]]) -> None:
    """Whatever is done in whatever order, each job is one worker's at a time and ends once.

    Spec: store/Jobs are done once.
    """
    await store.jobs.expire(float("inf"))
    for left in await store.jobs.list(EVERYTHING):
        await store.jobs.erase(left.id, EVERYTHING)
    model = Model(store.jobs)
    for step in steps:
        await model.do(step)
    await model.check()


async def test_a_job_is_kept_as_it_was_given(store: Store) -> None:
    """All that a job is made of comes back."""
    options = JobOptions(model="m", language="de", diarize=True, speakers=3, webhook="https://x/")
    job = kept.job(name="Ä 'quoted'.wav", path="/up/1", size=5_000_000_000, options=options)
    await store.jobs.add(job)
    assert await store.jobs.get(job.id, OPS) == job


async def test_a_name_that_is_no_text_is_made_one(store: Store) -> None:
    """NUL and halves of characters in a file's name do no harm."""
    job = kept.job(name="a\0b\udc80.wav")
    await store.jobs.add(job)
    assert (await store.jobs.get(job.id, OPS)).name == "ab?.wav"


async def test_claims_at_once_get_different_jobs(store: Store) -> None:
    """Many workers that ask at the same moment get a job each, the rest nothing.

    Spec: store/Jobs are done once.
    """
    jobs = [kept.job(created_at=float(number)) for number in range(5)]
    for job in jobs:
        await store.jobs.add(job)
    claims = [store.jobs.claim(f"w{number}", lease_s=60) for number in range(12)]
    got = [job.id for job in await asyncio.gather(*claims) if job is not None]
    assert sorted(got) == sorted(job.id for job in jobs)


async def test_the_oldest_is_claimed_first(store: Store) -> None:
    """Jobs are begun in the order in which they came."""
    late, early = kept.job(created_at=2.0), kept.job(created_at=1.0)
    await store.jobs.add(late)
    await store.jobs.add(early)
    claimed = [await store.jobs.claim("w", lease_s=60) for _ in range(2)]
    assert [job.id for job in claimed if job] == [early.id, late.id]


async def test_a_result_comes_with_the_end_or_not_at_all(store: Store) -> None:
    """Where the transcript cannot be kept, the job has not ended either.

    Spec: store/Jobs are done once.
    """
    job = await _claimed(store)
    broken = kept.transcript("a word", id=job.id, started_at=None)
    with pytest.raises(IntegrityError):
        await store.jobs.finish(job.id, "w", JobState.COMPLETED, transcript=broken)
    assert (await store.jobs.get(job.id, OPS)).state is JobState.PROCESSING
    whole = kept.transcript("a word", id=job.id)
    assert await store.jobs.finish(job.id, "w", JobState.COMPLETED, transcript=whole)
    assert await store.transcripts.get(job.id, OPS) == whole


async def test_who_lost_a_job_keeps_nothing(store: Store) -> None:
    """A worker whose job was taken by another neither ends it nor keeps words.

    Spec: store/Jobs are done once.
    """
    job = await _claimed(store, lease_s=-1)
    taken = await store.jobs.claim("other", lease_s=60)
    assert taken is not None
    assert (taken.id, taken.attempts) == (job.id, 2)
    said = kept.transcript("words", id=job.id)
    assert not await store.jobs.finish(job.id, "w", JobState.COMPLETED, transcript=said)
    assert not await store.jobs.renew(job.id, "w", lease_s=60, heard_s=1, total_s=2)
    with pytest.raises(NotFoundError):
        await store.transcripts.get(job.id, OPS)


async def test_cancelling_removes_the_file(store: Store, tmp_path: Path) -> None:
    """What nobody will hear is not kept; canceling again changes nothing."""
    upload = tmp_path / "upload"
    upload.write_bytes(b"x")
    job = kept.job(path=str(upload))
    await store.jobs.add(job)
    canceled = await store.jobs.cancel(job.id, OPS)
    assert (canceled.state, canceled.path, upload.exists()) == (JobState.CANCELED, "", False)
    assert await store.jobs.cancel(job.id, OPS) == canceled


async def test_erasing_takes_transcript_files_and_links_along(
    store: Store, tmp_path: Path
) -> None:
    """Nothing of an erased job is left.

    Spec: store/Erasing.
    """
    upload, chunk = tmp_path / "upload", store.audio.folder / "chunk.opus"
    for file in (upload, chunk):
        file.write_bytes(b"x")
    job = kept.job(path=str(upload))
    await store.jobs.add(job)
    await store.transcripts.complete(kept.transcript("words", id=job.id, audio=True))
    await store.audio.add(job.id, person="", start=0, end=1, name="chunk.opus")
    await store.jobs.erase(job.id, OPS)
    assert not upload.exists()
    assert not chunk.exists()
    for look in (store.jobs.get, store.transcripts.get):
        with pytest.raises(NotFoundError):
            await look(job.id, OPS)


async def test_others_jobs_are_not_there(store: Store) -> None:
    """A caller sees its own jobs; the service sees all.

    Spec: store/Scope.
    """
    job = kept.job(owner="ops")
    await store.jobs.add(job)
    other = Scope(owner="other")
    for look in (store.jobs.get, store.jobs.cancel, store.jobs.erase):
        with pytest.raises(NotFoundError):
            await look(job.id, other)
    assert not await store.jobs.list(other)
    assert [found.id for found in await store.jobs.list(EVERYTHING)] == [job.id]


async def test_lists_are_newest_first_by_state_and_without_passing_ones(store: Store) -> None:
    """A list has what people asked for, not what somebody waited for."""
    for number in range(3):
        await store.jobs.add(kept.job(name=str(number), created_at=float(number)))
    await store.jobs.add(kept.job(ephemeral=True))
    assert [job.name for job in await store.jobs.list(OPS)] == ["2", "1", "0"]
    assert [job.name for job in await store.jobs.list(OPS, limit=1)] == ["2"]
    claimed = await store.jobs.claim("w", lease_s=60)
    assert claimed is not None
    assert len(await store.jobs.list(OPS, state="queued")) == 3 - (not claimed.ephemeral)
    assert await store.jobs.count_waiting() == 3
    assert await store.jobs.count_waiting("other") == 0


async def test_webhooks_are_told_once(store: Store) -> None:
    """What is over is to be told until it was told."""
    job = await _claimed(store)
    assert not await store.jobs.untold()
    await store.jobs.finish(job.id, "w", JobState.FAILED, error="broken")
    assert [found.id for found in await store.jobs.untold()] == [job.id]
    await store.jobs.told(job.id)
    assert not await store.jobs.untold()


async def test_files_are_needed_until_the_end(store: Store) -> None:
    """Files of jobs that are not over are known, so that left-overs can be told from them."""
    job = await _claimed(store, path="/up/1")
    assert await store.jobs.paths() == {"/up/1"}
    await store.jobs.finish(job.id, "w", JobState.FAILED)
    assert not await store.jobs.paths()


async def test_progress_is_noted_and_complete_at_the_end(store: Store) -> None:
    """How far a job is can be seen."""
    job = await _claimed(store)
    assert await store.jobs.renew(job.id, "w", lease_s=60, heard_s=3, total_s=9)
    seen = await store.jobs.get(job.id, OPS)
    assert (seen.heard_s, seen.total_s) == (3, 9)
    await store.jobs.finish(job.id, "w", JobState.COMPLETED)
    assert (await store.jobs.get(job.id, OPS)).heard_s == 9


async def test_only_what_is_over_expires(store: Store) -> None:
    """Jobs that wait or run are kept, however old they are.

    Spec: store/Retention.
    """
    over = await _claimed(store)
    await store.jobs.finish(over.id, "w", JobState.FAILED)
    running = await _claimed(store)
    waiting = kept.job()
    await store.jobs.add(waiting)
    assert await store.jobs.expire(0.0) == 0
    assert await store.jobs.expire(float("inf")) == 1
    assert {job.id for job in await store.jobs.list(OPS)} == {running.id, waiting.id}


async def _claimed(store: Store, *, lease_s: float = 60, path: str = "") -> Job:
    await store.jobs.add(kept.job(path=path))
    claimed = await store.jobs.claim("w", lease_s=lease_s)
    assert claimed is not None
    return claimed
