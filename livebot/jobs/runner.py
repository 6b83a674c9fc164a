"""Jobs being done: claimed, kept while they run, and ended, each by one process and once.

A claim is a lease under a name of its own, so that a run whose lease ran out can neither renew
nor end what somebody else, or another run here, has taken over meanwhile.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

from livebot import logs
from livebot.errors import LivebotError, StoreError
from livebot.ids import short
from livebot.jobs import states
from livebot.jobs.results import stored_of
from livebot.jobs.run import Do, GoneError, Run
from livebot.store import contract
from livebot.store.records import Job, JobState
from livebot.transcripts.model import Transcript

log = logs.get("jobs")

LEASE_S: Final = 15.0
"""After so long without a sign of life a job is somebody else's: soon after a crash, and several
times what a busy machine or a database holds a sign up."""

RENEW_S: Final = 3.0
POLL_S: Final = 2.0
"""How long what another process took in, or left, may wait."""

STORE_REST_S: Final = 1.0
"""After the database failed; an hour's work is worth some tries,"""

STORE_TRIES: Final = 10

_UNKNOWN = "the service failed at it: its log says how; give it again"
_KILLS = (
    f"it was begun {states.MOST_ATTEMPTS} times, and each time the service ended meanwhile: it may"
    " be what ends it; convert the file to WAV or FLAC"
)


class Runner:
    """Does jobs, several at a time.

    Args:
        store: Where they are.
        do: Recognises one.
        at_once: How many at a time.
        max_hours: The longest recording.
        is_wanted: Says whether an ephemeral job still has somebody who waits for it.
        on_change: Told the id of a job that has come further here.
        on_over: Told what ended here, and by which transcript if any; may take a while.
        on_fault: Called with a short name of what went wrong.
    """

    def __init__(
        self,
        store: contract.Jobs,
        do: Do,
        *,
        at_once: int,
        max_hours: float,
        is_wanted: Callable[[Job], Awaitable[bool]],
        on_change: Callable[[str], None],
        on_over: Callable[[Job, Transcript | None], Awaitable[None]],
        on_fault: Callable[[str], None],
    ) -> None:
        self._store = store
        self._do = do
        self._slots = asyncio.Semaphore(at_once)
        self._most_s = max_hours * 3600
        self._is_wanted = is_wanted
        self._on_change = on_change
        self._on_over = on_over
        self._on_fault = on_fault
        self._wake = asyncio.Event()
        self._runs: dict[str, Run] = {}
        self.fault = ""

    @property
    def running(self) -> int:
        """Return how many are being done here."""
        return len(self._runs)

    def wake(self) -> None:
        """Look at once: there is a new one."""
        self._wake.set()

    def progress(self, job: str) -> tuple[float, float] | None:
        """Return how far a job is, in seconds; None where it is not done here."""
        run = self._runs.get(job)
        return (run.heard_s, run.total_s) if run else None

    def stop(self, job: str) -> None:
        """Stop doing a job, if it is done here."""
        if run := self._runs.get(job):
            run.stop()

    async def run(self) -> None:
        """Do jobs until cancelled; those under way are given back then."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                run = await self._next()
                group.create_task(self._attend(run), name=f"job-{short(run.job.id)}")

    async def _next(self) -> Run:
        """Wait for a job that is ours."""
        while True:
            self._wake.clear()
            if (run := await self._claim()) is not None:
                return run
            try:
                # Not all processes of one database at the same moment.
                async with asyncio.timeout(POLL_S * random.uniform(0.75, 1.25)):  # noqa: S311
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _claim(self) -> Run | None:
        worker = secrets.token_hex(8)
        claiming = asyncio.ensure_future(self._store.claim(worker, lease_s=LEASE_S))
        try:
            job = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.wait({claiming})
            if not claiming.exception() and (job := claiming.result()):
                await self._give_back(job, worker)
            raise
        except StoreError as exc:
            if not self.fault:
                log.warning("jobs_not_claimed", error=str(exc))
                self._on_fault("claim")
            self.fault = str(exc)
            return None
        self.fault = ""
        if job is None:
            return None
        run = Run(job, worker, most_s=self._most_s, on_change=self._on_change)
        self._runs[job.id] = run
        return run

    async def _attend(self, run: Run) -> None:
        job = run.job
        began = asyncio.get_running_loop().time()
        log.info("job_started", job=short(job.id), attempt=job.attempts, bytes=job.size)
        self._on_change(job.id)
        ended, transcript = False, None
        try:
            error, transcript = await self._outcome(run)
            ended = await self._end(run, error, transcript)
        except GoneError:
            log.info("job_left", job=short(job.id))
        except asyncio.CancelledError:
            await self._give_back(job, run.worker)
            raise
        except Exception:
            # It must not end the others; its lease runs out, and it is tried again.
            log.exception("job_not_attended", job=short(job.id))
            self._on_fault("bug")
        finally:
            if self._runs.get(job.id) is run:
                del self._runs[job.id]
            self._slots.release()
            self._on_change(job.id)
        if ended:
            took_s = round(asyncio.get_running_loop().time() - began, 1)
            state = "completed" if transcript else "failed"
            log.info("job_ended", job=short(job.id), state=state, seconds=took_s)
            await self._on_over(job, transcript)

    async def _outcome(self, run: Run) -> tuple[str, Transcript | None]:
        """Return why a job failed, or its transcript.

        Raises:
            GoneError: It is not ours any more.
        """
        if states.is_given_up(run.job):
            return _KILLS, None
        if run.job.ephemeral and not await self._is_wanted(run.job):
            return "nobody waits for it any more", None
        transcript, fault, is_gone = None, "", False
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(run), name="job-lease")
                transcript = await self._do(run.job, run.progress)
                keeping.cancel()
        except* GoneError:
            is_gone = True
        except* LivebotError as faults:
            fault = str(_first(faults))
        except* Exception:
            # One job must not end the others; the log has what its owner has no use for.
            log.exception("job_failed", job=short(run.job.id))
            self._on_fault("bug")
            fault = fault or _UNKNOWN
        if is_gone:
            raise GoneError
        return fault, None if fault else transcript

    async def _keep(self, run: Run) -> None:
        """Renew the lease while the job is being done.

        Raises:
            GoneError: It is not ours any more.
            RecordingError: It is too long.
        """
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            try:
                async with asyncio.timeout(RENEW_S):
                    await run.touched.wait()
            except TimeoutError:
                pass
            if run.is_stopped:
                raise GoneError
            if run.fault:
                raise run.fault
            try:
                is_ours = await self._renew(run)
            except StoreError as exc:
                log.warning("job_not_renewed", job=short(run.job.id), error=str(exc))
                is_ours = loop.time() < renewed + LEASE_S
            else:
                renewed = loop.time()
            if not is_ours:
                raise GoneError

    async def _renew(self, run: Run) -> bool:
        return await self._store.renew(
            run.job.id, run.worker, lease_s=LEASE_S, heard_s=run.heard_s, total_s=run.total_s
        )

    async def _end(self, run: Run, error: str, transcript: Transcript | None) -> bool:
        """Say what came of a job; return whether it was still ours."""
        state = JobState.FAILED if error else JobState.COMPLETED
        kept = None
        if transcript is not None:
            run.heard_s = run.total_s = transcript.duration
            kept = stored_of(run.job, transcript, time.time())
        for left in reversed(range(STORE_TRIES)):
            try:
                await self._renew(run)
                return await self._store.finish(
                    run.job.id, run.worker, state, error=error, transcript=kept
                )
            except StoreError as exc:
                log.warning("job_not_ended", job=short(run.job.id), error=str(exc))
                if left:
                    await asyncio.sleep(STORE_REST_S)
        # Its lease runs out, and it is done again.
        return False

    async def _give_back(self, job: Job, worker: str) -> None:
        try:
            await self._store.give_back(job.id, worker)
        except StoreError as exc:
            log.warning("job_not_given_back", job=short(job.id), error=str(exc))


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    found = faults.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
