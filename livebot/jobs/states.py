"""Which state of a job may follow which, and what a job's figures amount to (pure)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from livebot.store.records import Job, JobState

MOST_ATTEMPTS: Final = 3
"""How often a job is begun: one whose process ended so often is likely to be the reason."""

FOLLOWS: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.CANCELED}),
        JobState.PROCESSING: frozenset(
            {
                JobState.PROCESSING,  # another worker takes it over
                JobState.QUEUED,  # its worker gives it back
                JobState.COMPLETED,
                JobState.FAILED,
                JobState.CANCELED,
            }
        ),
        JobState.COMPLETED: frozenset(),
        JobState.FAILED: frozenset(),
        JobState.CANCELED: frozenset(),
    }
)


def may_follow(state: JobState, then: JobState) -> bool:
    """Say whether a job in one state may be in another the next moment."""
    return then in FOLLOWS[state]


def is_given_up(job: Job) -> bool:
    """Say whether a job that was just begun has been begun too often."""
    return job.attempts > MOST_ATTEMPTS


def share(job: Job) -> float | None:
    """Return how much of a job is done, 0 to 1; None where nobody knows."""
    if job.state is JobState.COMPLETED:
        return 1.0
    if job.state is JobState.QUEUED:
        return 0.0
    if job.total_s <= 0:
        return None
    # What a file says of its length is not always true.
    return min(1.0, job.heard_s / job.total_s)
