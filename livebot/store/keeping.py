"""Erases in the background what has expired, and what was left over."""

import asyncio
import time

from livebot import logs
from livebot.errors import StoreError
from livebot.store.audio import Audio
from livebot.store.database import Database
from livebot.store.jobs import Jobs
from livebot.store.live import Live
from livebot.store.shares import Shares
from livebot.store.transcripts import Transcripts

EVERY_S = 60.0
"""Between two rounds: so late may something expire."""

SWEEP_EVERY = 60
"""Rounds between two looks at all files."""

LEFT_S = 3600.0
"""So old is a file of which no index will come any more."""

log = logs.get("store")


class Keeper:
    """Does the rounds; somebody runs it.

    Args:
        database: What is kept clean.
        transcripts: What expires.
        audio: What may be left over.
        jobs: What expires.
        shares: What expires.
        live: What expires.
        retention_s: After how long transcripts and jobs do; None for never.
        resume_s: After how long live sessions do.
    """

    def __init__(
        self,
        database: Database,
        *,
        transcripts: Transcripts,
        audio: Audio,
        jobs: Jobs,
        shares: Shares,
        live: Live,
        retention_s: float | None,
        resume_s: float,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._audio = audio
        self._jobs = jobs
        self._shares = shares
        self._live = live
        self._retention_s = retention_s
        self._resume_s = resume_s

    async def run(self) -> None:
        """Do a round every minute, until canceled."""
        number = 0
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.round(time.time(), sweep=number % SWEEP_EVERY == 0)
            except StoreError:
                log.warning("nothing_expired")
            number += 1

    async def round(self, now: float, *, sweep: bool = False) -> None:
        """Erase what has expired by now.

        Raises:
            StoreError: The database failed; the next round does the rest.
        """
        await self._live.keep()
        # Open ones are noted once a round; some rounds may fail.
        await self._live.expire(now - self._resume_s - 3 * EVERY_S)
        await self._shares.expire(now)
        if self._retention_s is not None:
            before = now - self._retention_s
            erased = await self._transcripts.expire(before) + await self._jobs.expire(before)
            if erased:
                log.info("expired", count=erased)
        if sweep:
            await self._audio.sweep(now - LEFT_S)
        await self._database.works.do(self._database.scrubber.catch_up())
