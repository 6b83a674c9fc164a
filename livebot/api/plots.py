"""Transcripts of jobs as pictures."""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from livebot.api import auth
from livebot.api.downloads import keep_private
from livebot.api.routes import Access, Route
from livebot.api.services import Services
from livebot.audio.peaks import Peaks
from livebot.errors import BusyError, RecordingError
from livebot.recordings.peaks import peaks_of
from livebot.store.exporting import transcript_of
from livebot.store.records import StoredGap, StoredTranscript
from livebot.transcripts.plot import svg
from livebot.transcripts.sheet import Missing

SOUND_S: Final = 20.0
"""How long a file may take to be read: three hours take half of it. Then it is drawn without."""

AT_ONCE: Final = 2
"""Files that are read, and pictures that are drawn, at the same time: captions need the processor
more. Who comes meanwhile waits, within `SOUND_S`."""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Plots:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = asyncio.Semaphore(AT_ONCE)
        self._drawing = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="GET",
                path="/jobs/{job_id}/plot.svg",
                handler=self._plot,
                access=Access.CALLER,
                summary="Draw a transcript: sound where it is kept, speakers, words and gaps",
                answers={200: None},
                content={200: "image/svg+xml"},
                is_long=True,
            )
        ]

    async def _plot(self, request: web.Request) -> web.Response:
        job = request.match_info["job_id"]
        found = await self._services.need_jobs().result(job, auth.scope(request))
        text = await self._drawn(found, await self._peaks(job))
        answer = web.Response(text=text, content_type="image/svg+xml", charset="utf-8")
        answer.headers[hdrs.CONTENT_DISPOSITION] = "inline"
        answer.headers["Content-Security-Policy"] = _POLICY
        keep_private(answer)
        return answer

    async def _drawn(self, stored: StoredTranscript, peaks: Peaks | None) -> str:
        try:
            async with asyncio.timeout(SOUND_S), self._drawing:
                return await plot_of(stored, peaks)
        except TimeoutError:
            raise BusyError("too many pictures are drawn now: try again later") from None

    async def _peaks(self, job: str) -> Peaks | None:
        """Return the peaks of a job's file; None where it is gone, or takes too long."""
        pieces = await self._services.need_store().audio.of(job)
        if len(pieces) != 1:
            return None
        try:
            async with asyncio.timeout(SOUND_S), self._reading:
                return await peaks_of(pieces[0][3])
        except (RecordingError, TimeoutError):
            return None


async def plot_of(stored: StoredTranscript, peaks: Peaks | None = None) -> str:
    """Draw a transcript that is kept, as SVG.

    Args:
        stored: It.
        peaks: Of its sound; None where that is gone.
    """
    missing = [_missing(gap) for gap in stored.gaps]
    # Three hours take half a second.
    return await asyncio.to_thread(svg, transcript_of(stored), peaks, missing=missing)


def _missing(gap: StoredGap) -> Missing:
    end = gap.start + gap.lost_s if gap.end is None else gap.end
    return Missing(gap.start, end, gap.cause.replace("_", " "))
