"""One session's words on their way to a transcript, out of the way of captions.

Rule: nobody who speaks waits for a disk. What is said waits here, bounded; where the store is away
it is tried again, and what does not fit goes, the oldest first, and is counted.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final as Constant

from livebot import logs
from livebot.errors import NotFoundError, StoreError
from livebot.feeds.events import Final, Gap
from livebot.metrics import Metrics
from livebot.store.contract import Transcripts
from livebot.store.records import EVERYTHING, StoredGap, StoredUtterance, TranscriptHead

log = logs.get("live")

MOST_WAITING: Constant = 2000
"""Utterances of a session: more than an hour of speech."""

AT_ONCE: Constant = 100
"""In one transaction."""

STORE_S: Constant = 10.0
"""A store that has not answered by then is taken for away."""

RETRY_S: Constant = 5.0

LAST_S: Constant = 10.0
"""How long the end of a session waits for what is not kept yet."""


class Keeping:
    """Keeps the transcript of one session; somebody runs it.

    Args:
        transcripts: Where.
        head: What is known of it.
        person: Who speaks.
        metrics: Where what is lost is counted.
        before: What was told before a restart, which may have come before the last of it was kept.
    """

    def __init__(
        self,
        transcripts: Transcripts,
        head: TranscriptHead,
        *,
        person: str,
        metrics: Metrics,
        before: Sequence[Final | Gap] = (),
    ) -> None:
        self._transcripts = transcripts
        self._head = head
        self._person = person
        self._metrics = metrics
        self._before = before
        self._is_begun = False
        self._is_known = bool(before)
        self._waiting: deque[StoredUtterance | StoredGap] = deque()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._writing = asyncio.Lock()

    def put(self, event: Final | Gap) -> None:
        """Keep what was said or is missing, soon; never waits."""
        if isinstance(event, Final):
            self._waiting.append(self._utterance(event))
        elif event.end is not None:
            self._waiting.append(self._gap(event))
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._metrics.live_unkept.inc()
        self._wake.set()

    async def forget(self) -> None:
        """Keep nothing of what was said so far, but for what the store has by now."""
        async with self._writing:
            self._waiting.clear()
            self._before = ()

    def close(self) -> None:
        """Take no more: `run()` ends soon."""
        self._closing.set()
        self._wake.set()

    async def run(self) -> None:
        """Write until `close()`, and then what is left, as far as that is possible soon."""
        writing = asyncio.create_task(self._write(), name="live-transcript")
        try:
            await self._closing.wait()
            await asyncio.wait([writing], timeout=LAST_S)
        finally:
            writing.cancel()
            await asyncio.wait([writing])
        if self._waiting:
            self._metrics.live_unkept.inc(len(self._waiting))
            log.error("live_transcript_incomplete", utterances=len(self._waiting))

    async def end(self, *, ended_at: float, duration: float) -> None:
        """Say that nothing more comes, after `run()`."""
        if not self._is_known:
            return  # a transcript of nothing is none
        try:
            async with asyncio.timeout(STORE_S):
                await self._transcripts.end(
                    self._head.id,
                    ended_at=ended_at,
                    duration=duration,
                    language=self._head.language,
                )
        except (StoreError, TimeoutError) as exc:
            log.warning("live_transcript_not_ended", error=str(exc))

    async def _write(self) -> None:
        while self._before or self._waiting or not self._closing.is_set():
            self._wake.clear()
            if not (self._before or self._waiting):
                await self._wake.wait()
                continue
            try:
                async with asyncio.timeout(STORE_S), self._writing:
                    await self._write_some()
            except (StoreError, TimeoutError) as exc:
                log.warning("live_transcript_not_kept", error=str(exc))
                await self._rest()

    async def _write_some(self) -> None:
        if self._before:
            self._waiting.extendleft(reversed(await self._not_kept()))
            self._before = ()
        if not self._waiting:
            return
        if not self._is_begun:
            await self._transcripts.begin(self._head)
            self._is_begun = self._is_known = True
        some = list(self._waiting)[:AT_ONCE]
        await self._transcripts.add(
            self._head.id,
            [each for each in some if isinstance(each, StoredUtterance)],
            [each for each in some if isinstance(each, StoredGap)],
        )
        for each in some:
            if self._waiting and self._waiting[0] is each:
                self._waiting.popleft()

    async def _not_kept(self) -> list[StoredUtterance | StoredGap]:
        """Return what was told before a restart and is not kept: the last of it at most.

        Where nothing is kept it may have been erased, and stays so.
        """
        try:
            kept = await self._transcripts.get(self._head.id, EVERYTHING)
        except NotFoundError:
            return []
        if not kept.utterances:
            return []
        last = max(each.start for each in kept.utterances)
        gaps = {(each.cause, each.start) for each in kept.gaps}
        return [
            self._utterance(event) if isinstance(event, Final) else self._gap(event)
            for event in self._before
            if event.start > last
            and event.end is not None
            and (isinstance(event, Final) or (event.cause, event.start) not in gaps)
        ]

    async def _rest(self) -> None:
        """Wait before the next try; not at the end, when there is little time."""
        if self._closing.is_set():
            await asyncio.sleep(RETRY_S / 10)
            return
        try:
            async with asyncio.timeout(RETRY_S):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _utterance(self, final: Final) -> StoredUtterance:
        return StoredUtterance(
            text=final.text,
            words=final.words,
            start=final.start,
            end=final.end,
            speaker=final.speaker.name,
            person=self._person,
            language=final.language,
        )

    def _gap(self, gap: Gap) -> StoredGap:
        return StoredGap(
            cause=gap.cause,
            start=gap.start,
            end=gap.end,
            lost_s=gap.lost_s,
            speaker=gap.speaker.name,
            person=self._person,
        )
