"""One job being done: how far it is, and whether it is still ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from livebot.errors import LivebotError, RecordingError
from livebot.recognising import OnProgress
from livebot.store.records import Job
from livebot.transcripts.model import Transcript


class Do(Protocol):
    """Recognises a job."""

    def __call__(self, job: Job, on_progress: OnProgress, /) -> Awaitable[Transcript]:
        """Return its transcript.

        Raises:
            LivebotError: It cannot be had.
        """


class GoneError(Exception):
    """The job is not ours any more."""


class Run:
    """One job being done here.

    Args:
        job: It.
        worker: The name it was claimed under.
        most_s: The longest recording.
        on_change: Called when it has come further.
    """

    def __init__(
        self, job: Job, worker: str, *, most_s: float, on_change: Callable[[str], None]
    ) -> None:
        self.job = job
        self.worker = worker
        self.heard_s, self.total_s = job.heard_s, job.total_s
        self.is_stopped = False
        self.fault: LivebotError | None = None
        self.touched = asyncio.Event()
        self._most_s = most_s
        self._on_change = on_change

    def progress(self, heard_s: float, total_s: float) -> None:
        """Note how far it is; must not raise, since whoever tells has its own work."""
        self.heard_s, self.total_s = heard_s, max(total_s, 0.0)
        if max(heard_s, total_s) > self._most_s:
            self.fault = RecordingError(
                f"the recording is longer than {self._most_s / 3600:g} hours: LT_UPLOAD_MAX_HOURS"
                " allows no more; cut it"
            )
            self.touched.set()
        self._on_change(self.job.id)

    def stop(self) -> None:
        """Stop: it was canceled or erased."""
        self.is_stopped = True
        self.touched.set()
