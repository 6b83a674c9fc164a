"""What becomes of the files of jobs: held, removed, or kept as audio; and of left-overs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from livebot import logs
from livebot.errors import LivebotError, StoreError
from livebot.jobs import audio
from livebot.jobs.uploads import Uploads
from livebot.store.contract import Store
from livebot.store.records import EVERYTHING, Job
from livebot.transcripts.model import Transcript

log = logs.get("jobs")

CLEAN_S: Final = 3600.0
"""How often left-overs of other processes are looked for."""

LOOK_S: Final = 30.0
"""How often it is looked whether the disk is full."""


class Tidying:
    """Looks after files.

    Args:
        uploads: Where they are.
        store: Which are needed, and where audio is kept.
        on_fault: Called with a short name of what went wrong.

    Attributes:
        is_full: Whether there is no room for uploads.
    """

    def __init__(self, uploads: Uploads, store: Store, on_fault: Callable[[str], None]) -> None:
        self.is_full = False
        self._uploads = uploads
        self._store = store
        self._on_fault = on_fault
        # Of ephemeral jobs, whose files are held until they are erased.
        self._held: dict[str, Path] = {}

    async def made(self, job: Job) -> None:
        """Leave a file to its job; whoever waits for an ephemeral one holds it."""
        if job.ephemeral:
            self._held[job.id] = Path(job.path)
        else:
            await self._uploads.release(Path(job.path))

    async def is_wanted(self, job: Job) -> bool:
        """Say whether anybody still waits for an ephemeral job, in whichever process."""
        return await self._uploads.is_awaited(Path(job.path))

    async def left(self, job: Job) -> None:
        """Remove the file of a job that nobody wants any more."""
        held = self._held.pop(job.id, None)
        if path := held or (Path(job.path) if job.path else None):
            await self._uploads.discard(path)

    async def over(self, job: Job, transcript: Transcript | None) -> None:
        """Put the file of a job that ended where it belongs."""
        is_left = job.ephemeral and not await self.is_wanted(job)
        try:
            if is_left:
                await self._store.jobs.erase(job.id, EVERYTHING)
            elif transcript and job.options.keep_audio:
                await audio.keep(self._store.audio, job, transcript.duration)
        except LivebotError as exc:
            log.warning("job_not_tidied", error=str(exc))
            self._on_fault("tidy")
        if not job.ephemeral or is_left:
            await self._uploads.discard(Path(job.path))

    async def run(self) -> None:
        """Look for left-overs, and for room, until cancelled."""
        loop = asyncio.get_running_loop()
        clean_at = loop.time()
        while True:
            self.is_full = await self._uploads.is_full()
            if loop.time() >= clean_at:
                clean_at = loop.time() + CLEAN_S
                try:
                    await self._uploads.clean(self._store.jobs.paths)
                except (StoreError, OSError) as exc:
                    log.warning("uploads_not_cleaned", error=type(exc).__name__)
            await asyncio.sleep(LOOK_S)
