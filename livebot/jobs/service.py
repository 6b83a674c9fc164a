"""Jobs from the upload to the result."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import replace
from typing import Self
from uuid import uuid4

from livebot.errors import BusyError, NotFoundError
from livebot.jobs import work
from livebot.jobs.heard import Heard
from livebot.jobs.hosting import Hosting
from livebot.jobs.line import Health, Line
from livebot.jobs.news import News
from livebot.jobs.runner import Runner
from livebot.jobs.tidying import Tidying
from livebot.jobs.uploads import TooLargeError, Upload, Uploads
from livebot.jobs.webhooks import Webhooks
from livebot.metrics import Metrics
from livebot.recognising import FileHost
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.store.places import data_dir
from livebot.store.records import Job, JobOptions, JobState, Scope, StoredTranscript
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.transcripts.model import Transcript

__all__ = ["Health", "Jobs", "TooLargeError", "Upload"]

CHANGES_S = 0.5
"""Progress is told twice a second at most; so often it is looked for what others do."""


class Jobs:
    """Files on their way to transcripts; to be entered.

    Args:
        settings: `data_dir`, limits of uploads, `jobs_at_once`, webhooks, and those of the engine
            host.
        store: Where they are kept.
        metrics: What is counted.
        host: Who recognises files, and runs already; without it, there is one of our own from the
            first job on.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        metrics: Metrics,
        host: FileHost | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._stack = AsyncExitStack()
        folder, _ = data_dir(settings)
        self._uploads = Uploads(folder / "uploads", max_mb=settings.upload_max_mb)
        self._webhooks = Webhooks(settings, store.jobs, folder)
        self._hosting = Hosting(host, self._own_host)
        self._line = Line(store.jobs)
        self._news = News()
        self._heard = Heard()
        self._tidying = Tidying(self._uploads, store, self._count)
        self._runner = Runner(
            store.jobs,
            work.Work(settings, self._hosting.get, self._heard),
            at_once=settings.jobs_at_once,
            max_hours=settings.upload_max_hours,
            is_wanted=self._tidying.is_wanted,
            on_change=self._changed,
            on_over=self._over,
            on_fault=self._count,
        )

    async def __aenter__(self) -> Self:
        """Begin to work, first on what was under way when the service ended.

        Raises:
            StoreError: There is no folder for uploads.
        """
        await self._uploads.start()
        async with AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(self._tidying.run(), name="jobs-house")]
            if self._webhooks.is_on:
                tasks.append(group.create_task(self._webhooks.run(), name="jobs-webhooks"))
            if self._settings.jobs_at_once:
                tasks.append(group.create_task(self._hosting.run(), name="jobs-engine"))
                tasks.append(group.create_task(self._runner.run(), name="jobs-runner"))
            # The runner goes before the engine.
            for task in tasks:
                stack.push_async_callback(_end, task)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop; what is under way is given back."""
        await self._stack.aclose()

    def check_size(self, size: int) -> None:
        """Check the size that a file is said to have.

        Raises:
            TooLargeError: That is too much.
        """
        self._uploads.check(size)

    async def receive(
        self, name: str, pieces: AsyncIterator[bytes], *, size: int | None = None
    ) -> Upload:
        """Write a file to disk as it comes. However this ends, nothing is left but the upload.

        Args:
            name: As its owner calls it; never used as a path.
            pieces: Its bytes.
            size: How many that will be, about; None where nobody says.

        Raises:
            TooLargeError: It is larger than is allowed.
            RequestError: It is empty.
            BusyError: The disk is full, or nearly.
        """
        return await self._uploads.receive(name, pieces, size=size)

    async def discard(self, upload: Upload) -> None:
        """Remove an upload of which no job is made."""
        await self._uploads.discard(upload.path)

    async def submit(
        self, owner: str, upload: Upload, options: JobOptions, *, ephemeral: bool = False
    ) -> Job:
        """Make a job of an upload, which is removed where that does not work.

        Raises:
            RequestError: The options make no sense: no such model or language, a webhook that may
                not be called.
            BusyError: Too many wait already.
        """
        job = Job(
            id=uuid4().hex,
            owner=owner,
            name=upload.name,
            path=str(upload.path),
            size=upload.size,
            options=options,
            created_at=time.time(),
            told=not options.webhook,
            ephemeral=ephemeral,
        )
        try:
            await self._check(options)
            await self._store.jobs.add(job)
        except BaseException:
            await self._uploads.discard(upload.path)
            raise
        await self._tidying.made(job)
        self._line.forget()
        self._runner.wake()
        return job

    async def get(self, job: str, scope: Scope) -> Job:
        """Return one.

        Raises:
            NotFoundError: There is none in this scope.
        """
        return self._with_progress(await self._store.jobs.get(job, scope))

    async def list(self, scope: Scope, *, limit: int = 100, state: str = "") -> Sequence[Job]:
        """Return them, newest first."""
        found = await self._store.jobs.list(scope, limit=limit, state=state)
        return [self._with_progress(job) for job in found]

    async def position(self, job: Job) -> int | None:
        """Return how many jobs are done before one that waits, about; None where it does not."""
        return await self._line.position(job) if job.state is JobState.QUEUED else None

    async def health(self) -> Health:
        """Say how jobs are; no more often than once a second by the database."""
        queued, processing = await self._line.counts()
        host = self._hosting.host
        models = host.status().models if isinstance(host, EngineHost) else ()
        return Health(self._settings.jobs_at_once, queued, processing, tuple(models))

    async def changes(self, job: str, scope: Scope) -> AsyncGenerator[Job, None]:
        """Yield a job now and whenever it has changed, until it is over.

        Raises:
            NotFoundError: There is none in this scope, or no more.
        """
        last = None
        with self._news.of(job) as news:
            while last is None or not last.state.is_over:
                found = await self.get(job, scope)
                if found != last:
                    yield found
                    last = found
                    if last.state.is_over:
                        return
                await asyncio.sleep(CHANGES_S / 2)
                await news.wait(CHANGES_S)

    def hearing(self, job: str) -> AbstractContextManager[Sequence[str]]:
        """Listen to a job that is done here, inside of the context.

        Returns:
            The texts of its utterances so far, which grows; empty where another process does it.
        """
        return self._heard.of(job)

    async def result(self, job: str, scope: Scope) -> StoredTranscript:
        """Return what was understood.

        Raises:
            NotFoundError: There is no such job in this scope, or it is not completed.
        """
        found = await self._store.jobs.get(job, scope)
        if found.state is not JobState.COMPLETED:
            raise NotFoundError(f"there is no result: the job is {found.state.value}")
        return await self._store.transcripts.get(job, scope)

    async def cancel(self, job: str, scope: Scope) -> Job:
        """Cancel one; those that are over stay as they are.

        Raises:
            NotFoundError: There is none in this scope.
        """
        before = await self._store.jobs.get(job, scope)
        found = await self._store.jobs.cancel(job, scope)
        if found.state is JobState.CANCELED:
            self._metrics.jobs.labels("canceled").inc(not before.state.is_over)
            await self._left(before)
        return found

    async def erase(self, job: str, scope: Scope) -> None:
        """Erase one with its file and transcript, running or not.

        Raises:
            NotFoundError: There is none in this scope.
        """
        found = await self._store.jobs.get(job, scope)
        await self._store.jobs.erase(job, scope)
        await self._left(found)

    def troubles(self) -> Sequence[str]:
        """Return what an operator should know; nothing where all is well."""
        found = []
        if self._tidying.is_full:
            found.append("jobs: no room is left for uploads: make some, or set LT_DATA_DIR")
        if self._runner.fault:
            found.append(f"jobs: {self._runner.fault}")
        if self._hosting.fault:
            found.append(f"jobs: {self._hosting.fault}")
        return found

    def _count(self, fault: str) -> None:
        self._metrics.errors.labels("jobs", fault).inc()

    def _own_host(self) -> EngineHost:
        return EngineHost(HostOptions.of(self._settings.host_options()))

    async def _check(self, options: JobOptions) -> None:
        work.check(options, work.usual_model(self._hosting.host, self._settings))
        if options.webhook:
            await self._webhooks.check(options.webhook)
        waiting = await self._store.jobs.count_waiting()
        if waiting >= self._settings.queue_limit:
            raise BusyError(f"{waiting} files wait already: try again later")

    def _with_progress(self, job: Job) -> Job:
        """Return a job with what only its runner knows yet."""
        known = self._runner.progress(job.id)
        if job.state is not JobState.PROCESSING or known is None:
            return job
        heard_s, total_s = known
        return replace(job, heard_s=max(job.heard_s, heard_s), total_s=total_s)

    async def _left(self, job: Job) -> None:
        """Stop a job that nobody wants any more; nothing of its file stays."""
        self._runner.stop(job.id)
        await self._tidying.left(job)
        self._line.forget()
        self._news.tell(job.id)
        self._webhooks.wake()

    def _changed(self, job: str) -> None:
        self._metrics.jobs_active.set(self._runner.running)
        self._news.tell(job)

    async def _over(self, job: Job, transcript: Transcript | None) -> None:
        """Put a job's file where it belongs, and tell that it is over."""
        self._metrics.jobs.labels("completed" if transcript else "failed").inc()
        await self._tidying.over(job, transcript)
        self._line.forget()
        self._webhooks.wake()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
