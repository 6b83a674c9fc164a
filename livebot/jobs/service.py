"""Jobs from the upload to the result."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.store.records import Job, JobOptions, Scope, StoredTranscript


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came whole: where it is, what its owner calls it, and how many bytes it has."""

    path: Path
    name: str
    size: int


class Jobs:
    """Files on their way to transcripts; to be entered.

    Args:
        settings: `data_dir`, limits of uploads, `jobs_at_once`, webhooks, and those of the engine
            host.
        store: Where they are kept.
        metrics: What is counted.
    """

    def __init__(self, settings: Settings, *, store: Store, metrics: Metrics) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics

    async def __aenter__(self) -> Self:
        """Begin to work, first on what was under way when the service ended."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop; what is under way is given back."""

    async def receive(self, name: str, pieces: AsyncIterator[bytes]) -> Upload:
        """Write a file to disk as it comes. However this ends, nothing is left but the upload.

        Args:
            name: As its owner calls it; never used as a path.
            pieces: Its bytes.

        Raises:
            RequestError: It is larger than is allowed, or empty.
            BusyError: The disk is full, or nearly.
        """
        raise NotImplementedError

    async def discard(self, upload: Upload) -> None:
        """Remove an upload of which no job is made."""
        raise NotImplementedError

    async def submit(
        self, owner: str, upload: Upload, options: JobOptions, *, ephemeral: bool = False
    ) -> Job:
        """Make a job of an upload, which is removed where that does not work.

        Raises:
            RequestError: The options make no sense: no such model or language, a webhook that may
                not be called.
            BusyError: Too many wait already.
        """
        raise NotImplementedError

    async def get(self, job: str, scope: Scope) -> Job:
        """Return one.

        Raises:
            NotFoundError: There is none in this scope.
        """
        raise NotImplementedError

    async def list(self, scope: Scope, *, limit: int = 100, state: str = "") -> Sequence[Job]:
        """Return them, newest first."""
        raise NotImplementedError

    def changes(self, job: str, scope: Scope) -> AsyncIterator[Job]:
        """Yield a job now and whenever it has changed, until it is over.

        Raises:
            NotFoundError: There is none in this scope, or no more.
        """
        raise NotImplementedError

    async def result(self, job: str, scope: Scope) -> StoredTranscript:
        """Return what was understood.

        Raises:
            NotFoundError: There is no such job in this scope, or it is not completed.
        """
        raise NotImplementedError

    async def cancel(self, job: str, scope: Scope) -> Job:
        """Cancel one; those that are over stay as they are.

        Raises:
            NotFoundError: There is none in this scope.
        """
        raise NotImplementedError

    async def erase(self, job: str, scope: Scope) -> None:
        """Erase one with its file and transcript, running or not.

        Raises:
            NotFoundError: There is none in this scope.
        """
        raise NotImplementedError

    def troubles(self) -> Sequence[str]:
        """Return what an operator should know; nothing where all is well."""
        raise NotImplementedError
