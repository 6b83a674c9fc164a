"""What may follow what."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.jobs.states import FOLLOWS, MOST_ATTEMPTS, is_given_up, may_follow, share
from livebot.store.records import EVERYTHING, Job, JobState
from tests.support.fake_store import FakeJobs

COMMANDS = ("claim", "renew", "completed", "failed", "give_back", "cancel", "lose")


def job(**more: object) -> Job:
    """Return one that waits."""
    return Job(id="j", owner="ops", name="a.wav", path="/a", size=1, **more)  # type: ignore[arg-type]


def test_the_table_is_this() -> None:
    """Read it as a diagram; what is over stays so."""
    diagram = "\n".join(
        f"{state} -> {', '.join(sorted(then)) or 'nothing'}" for state, then in FOLLOWS.items()
    )

    assert diagram == (
        "queued -> canceled, processing\n"
        "processing -> canceled, completed, failed, processing, queued\n"
        "completed -> nothing\n"
        "failed -> nothing\n"
        "canceled -> nothing"
    )
    assert {state for state, then in FOLLOWS.items() if not then} == {
        state for state in JobState if state.is_over
    }


@given(st.lists(st.sampled_from(COMMANDS), max_size=30))
def test_whatever_is_done_stays_on_the_table(commands: list[str]) -> None:
    """Also by workers who have lost it. Spec: jobs/How a job is."""

    async def run() -> FakeJobs:
        jobs = FakeJobs()
        await jobs.add(job())
        worker, stale = "", "somebody"
        for number, command in enumerate(commands):
            if command == "claim" and await jobs.claim(str(number), lease_s=10):
                worker, stale = str(number), worker
            await _do(jobs, command, worker)
            assert not await jobs.finish("j", stale, JobState.COMPLETED)
        return jobs

    states = [state for _, state in asyncio.run(run()).seen]

    assert states[0] is JobState.QUEUED
    assert all(may_follow(state, then) for state, then in pairwise(states))


async def _do(jobs: FakeJobs, command: str, worker: str) -> None:
    match command:
        case "renew":
            await jobs.renew("j", worker, lease_s=10, heard_s=1, total_s=2)
        case "completed" | "failed":
            await jobs.finish("j", worker, JobState(command))
        case "give_back":
            await jobs.give_back("j", worker)
        case "cancel":
            await jobs.cancel("j", EVERYTHING)
        case "lose":
            jobs.expire_leases()
        case _:
            pass


def test_what_was_begun_too_often_is_given_up() -> None:
    """The fourth time nothing is tried any more."""
    assert not is_given_up(job(attempts=MOST_ATTEMPTS))
    assert is_given_up(job(attempts=MOST_ATTEMPTS + 1))


@pytest.mark.parametrize(
    ("state", "heard_s", "total_s", "expected"),
    [
        (JobState.QUEUED, 0.0, 0.0, 0.0),
        (JobState.PROCESSING, 5.0, 0.0, None),
        (JobState.PROCESSING, 5.0, 20.0, 0.25),
        (JobState.PROCESSING, 30.0, 20.0, 1.0),
        (JobState.COMPLETED, 5.0, 20.0, 1.0),
        (JobState.FAILED, 5.0, 20.0, 0.25),
        (JobState.CANCELED, 0.0, 0.0, None),
    ],
)
def test_share(state: JobState, heard_s: float, total_s: float, expected: float | None) -> None:
    """Never more than all, though files lie about their length."""
    assert share(job(state=state, heard_s=heard_s, total_s=total_s)) == expected
