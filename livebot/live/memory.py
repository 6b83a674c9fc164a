"""Live sessions in the store: remembered, found again, closed. Where it fails, captions go on."""

import asyncio
import time
from collections.abc import Sequence

from livebot import logs
from livebot.errors import NotFoundError, StoreError
from livebot.feeds.events import Final, Gap, Numbered
from livebot.live.keeping import Keeping
from livebot.live.options import LiveOptions
from livebot.live.remembered import pack
from livebot.metrics import Metrics
from livebot.store.contract import Store
from livebot.store.records import Kind, LiveRecord, TranscriptHead

log = logs.get("live")

STORE_S = 5.0
"""A store that has not answered by then is taken for away."""

NOT_FOUND = "there is no such live session: open another one"


class Memory:
    """The store, as live sessions use it.

    Args:
        store: It.
        metrics: What is counted.
    """

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self.journal = store.live

    async def note(self, record: LiveRecord) -> bool:
        """Remember a session, or go on with one; return whether that worked."""
        try:
            async with asyncio.timeout(STORE_S):
                await self._store.live.open(record)
        except (StoreError, TimeoutError) as exc:
            log.warning("live_session_not_remembered", error=str(exc))
            return False
        return True

    async def find(self, owner: str, session: str) -> tuple[LiveRecord, Sequence[Numbered]]:
        """Return a session and its newest events.

        Raises:
            NotFoundError: There is none of this owner.
            StoreError: The store cannot be asked.
        """
        try:
            async with asyncio.timeout(STORE_S):
                record = await self._store.live.get(session)
                if record is None or record.owner != owner:
                    raise NotFoundError(NOT_FOUND)
                return record, await self._store.live.events(session)
        except TimeoutError:
            raise StoreError("the database does not answer; try again later") from None

    async def blank(self, session: str, upto: int) -> None:
        """Erase what a session said up to an event that is kept.

        Raises:
            StoreError: The store cannot be asked.
        """
        try:
            async with asyncio.timeout(STORE_S):
                await self._store.live.blank(session, upto)
        except TimeoutError:
            raise StoreError("the database does not answer; try again later") from None

    async def close(self, session: str) -> None:
        """Note that a session ended in order."""
        try:
            async with asyncio.timeout(STORE_S):
                await self._store.live.close(session)
        except (StoreError, TimeoutError) as exc:
            log.warning("live_session_not_closed", error=str(exc))

    def keeping(
        self,
        record: LiveRecord,
        options: LiveOptions,
        language: str,
        before: Sequence[Numbered] = (),
    ) -> Keeping | None:
        """Return what keeps the transcript; None where none is wanted.

        Args:
            record: The session's.
            options: What was declared.
            language: What is spoken; empty where nobody knows.
            before: What was told before a restart.
        """
        if not record.transcript:
            return None
        head = TranscriptHead(
            id=record.transcript,
            kind=Kind.LIVE,
            owner=record.owner,
            title=options.title,
            language=language,
            started_at=record.epoch,
        )
        return Keeping(
            self._store.transcripts,
            head,
            person=options.speaker or record.owner,
            metrics=self._metrics,
            before=_told(before),
        )


def new_record(session: str, owner: str, options: LiveOptions, *, keep: bool) -> LiveRecord:
    """Return the record of a session that begins now."""
    now = time.time()
    return LiveRecord(
        id=session,
        owner=owner,
        epoch=now,
        options=pack(options),
        transcript=session if keep else "",
        seen_at=now,
    )


def _told(before: Sequence[Numbered]) -> list[Final | Gap]:
    """Return the finals and gaps among events, without finals that take something back."""
    events = (each.event for each in before)
    return [e for e in events if isinstance(e, Gap) or (isinstance(e, Final) and e.words)]
