"""What is told of jobs (pure): values in, JSON out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType

from livebot.jobs.states import share
from livebot.store.records import Job

CONTENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "txt": "text/plain",
        "srt": "application/x-subrip",
        "vtt": "text/vtt",
        "json": "application/json",
        "md": "text/markdown",
        "tsv": "text/tab-separated-values",
    }
)
"""Of each form that results are given out in."""


class Accepted(Struct, frozen=True):
    """A job that was made; `status_url` says what becomes of it."""

    job_id: str
    status: str
    name: str
    status_url: str


class JobStatus(Struct, frozen=True):
    """A job.

    `status` is queued, processing, completed, failed or canceled. `progress` is 0 to 1, or null
    where nobody knows; `queue_position` how many are done before it. `result` is the JSON form
    of the transcript, once it is completed.
    """

    job_id: str
    status: str
    progress: float | None
    heard_s: float
    total_s: float | None
    queue_position: int | None
    name: str
    size: int
    model: str
    language: str
    diarize: bool
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    result: dict[str, Any] | UnsetType = UNSET


class JobList(Struct, frozen=True):
    """Jobs, newest first."""

    jobs: list[JobStatus]


class Progress(Struct, frozen=True):
    """How far a job is; `percent` is null where nobody knows."""

    job_id: str
    state: str
    heard_s: float
    total_s: float | None
    percent: float | None
    error: str | None = None


class JobsHealth(Struct, frozen=True):
    """Jobs at a glance; `models` are loaded now."""

    status: str
    workers: int
    queued: int
    processing: int
    models: list[str]


def accepted(job: Job) -> Accepted:
    """Return what is answered to who gave a file."""
    return Accepted(job.id, job.state.value, job.name, f"/status/{job.id}")


def status(
    job: Job, *, position: int | None = None, result: dict[str, Any] | None = None
) -> JobStatus:
    """Return what is told of a job."""
    done = share(job)
    return JobStatus(
        job_id=job.id,
        status=job.state.value,
        progress=None if done is None else round(done, 4),
        heard_s=round(job.heard_s, 3),
        total_s=round(job.total_s, 3) if job.total_s > 0 else None,
        queue_position=position,
        name=job.name,
        size=job.size,
        model=job.options.model,
        language=job.options.language,
        diarize=job.options.diarize,
        created_at=_timestamp(job.created_at),
        started_at=None if job.started_at is None else _timestamp(job.started_at),
        finished_at=None if job.finished_at is None else _timestamp(job.finished_at),
        error=job.error or None,
        result=UNSET if result is None else result,
    )


def progress(job: Job) -> Progress:
    """Return what is told while a job is watched."""
    done = share(job)
    return Progress(
        job_id=job.id,
        state=job.state.value,
        heard_s=round(job.heard_s, 3),
        total_s=round(job.total_s, 3) if job.total_s > 0 else None,
        percent=None if done is None else round(100 * done, 1),
        error=job.error or None,
    )


def disposition(name: str, form: str) -> str:
    """Return the header by which a result is saved under its recording's name."""
    stem = name.rpartition(".")[0] or name
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in stem)
    return f"attachment; filename=\"{plain}.{form}\"; filename*=UTF-8''{quote(stem, '')}.{form}"


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
