"""What is told of jobs."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import job_answers
from livebot.jobs.uploads import label
from livebot.store.records import Job, JobOptions, JobState
from livebot.transcripts.export import FORMATS

JOB = Job(
    id="a" * 32, owner="ops", name="a.wav", path="/srv/uploads/x", size=7, created_at=0.5,
    options=JobOptions(model="base", language="de", diarize=True), ephemeral=True,
)  # fmt: skip


@given(st.text(max_size=300))
def test_results_are_saved_under_their_recordings_names(name: str) -> None:
    """By browsers of any age; no name ends the header or begins another."""
    shown = label(name)

    header = job_answers.disposition(shown, "srt")

    assert header.isascii()
    assert header.isprintable()
    stem = shown.rpartition(".")[0] or shown
    assert unquote(header.rpartition("''")[2]) == f"{stem}.srt"
    plain = header.removeprefix('attachment; filename="').partition('"; filename*=')[0]
    assert plain.endswith(".srt")
    assert '"' not in plain


def test_every_form_has_a_type() -> None:
    """Those that results are given out in."""
    assert set(job_answers.CONTENT_TYPES) == set(FORMATS)


def test_a_job_that_waits() -> None:
    """Where the file is, and whose it is, is nobody's business."""
    found = job_answers.status(JOB, position=3)

    assert (found.status, found.progress, found.queue_position) == ("queued", 0.0, 3)
    assert (found.created_at, found.started_at) == ("1970-01-01T00:00:00.500+00:00", None)
    assert (found.model, found.language, found.diarize, found.total_s) == (
        "base",
        "de",
        True,
        None,
    )
    assert "uploads" not in str(found)
    assert job_answers.accepted(JOB).status_url == f"/status/{JOB.id}"


@pytest.mark.parametrize(
    ("heard_s", "total_s", "percent"), [(0.0, 0.0, None), (1.0, 3.0, 33.3), (5.0, 3.0, 100.0)]
)
def test_progress(heard_s: float, total_s: float, percent: float | None) -> None:
    """In percent where the length is known."""
    job = Job(
        id="a", owner="", name="a", path="", size=1, state=JobState.PROCESSING, heard_s=heard_s,
        total_s=total_s,
    )  # fmt: skip

    assert job_answers.progress(job).percent == percent
