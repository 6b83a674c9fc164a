"""All live sessions of the process: opened, found again, counted, let go."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Self

from livebot import logs
from livebot.errors import (
    LivebotError,
    NotFoundError,
    RequestError,
    UnsupportedLanguageError,
)
from livebot.feeds.directory import Feeds, live_feed
from livebot.feeds.events import Numbered
from livebot.feeds.feed import Feed
from livebot.hearing.supervisor import Supervisor
from livebot.live import remembered
from livebot.live.admission import Admission, Running
from livebot.live.clients import End
from livebot.live.forgetting import forget, speaks
from livebot.live.keeping import Keeping
from livebot.live.memory import NOT_FOUND, Memory, new_record
from livebot.live.options import LiveOptions
from livebot.live.plan import Plan
from livebot.live.session import LiveSession
from livebot.live.transcription import Transcription
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.store.records import LiveRecord
from livebot.stt.engine import SttEngine
from livebot.stt.languages import AUTO, match

log = logs.get("live")


@dataclass(frozen=True, slots=True)
class _Begun:
    """A session, and who remembers it.

    Attributes:
        transcription: It.
        is_kept: Whether the store knows of it.
        keeping: Keeps its transcript; None for nobody.
    """

    transcription: Transcription
    is_kept: bool
    keeping: Keeping | None


class LiveSessions:
    """The live sessions; to be entered.

    Args:
        settings: `max_live`, `key_live`, `live_idle_s`, `live_resume_s`, `language`, and those of
            recognition.
        engine: Where audio goes; entered already.
        feeds: Where readers find what is said.
        store: Where sessions are remembered and transcripts kept; None for nowhere.
        metrics: What is counted.
        overload: Why the process can take no more, one short sentence each; empty where it can.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: SttEngine,
        feeds: Feeds,
        store: Store | None,
        metrics: Metrics,
        overload: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._feeds = feeds
        self._memory = None if store is None else Memory(store, metrics)
        self._metrics = metrics
        self._admission = Admission(settings, overload, metrics)
        self._stack = AsyncExitStack()
        self._running: dict[str, Running] = {}
        self._restoring = asyncio.Lock()
        self._supervisor: Supervisor[str] = Supervisor(_failed)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._stack.enter_async_context(self._supervisor)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all sessions; those whose clients may come back are remembered."""
        self._admission.is_stopping = True
        await self._stack.aclose()

    @property
    def count(self) -> int:
        """Return how many there are, those included whose clients may come back."""
        return len(self._running)

    async def open(self, owner: str, options: LiveOptions) -> LiveSession:
        """Open a session, attached to its client.

        Raises:
            RequestError: The options make no sense, or the language is not understood.
            BusyError: There are too many sessions, or the service is overloaded or stops.
            QuotaError: The owner has as many as it may have.
        """
        options.check()
        language = self._language(options)
        if options.store and self._memory is None:
            raise RequestError("store: nothing is kept here; leave store out")
        session = secrets.token_hex(16)
        self._admission.admit(owner, self._running.values())
        self._running[session] = Running(owner)
        try:
            record = new_record(session, owner, options, keep=options.store)
            is_kept = self._memory is not None and await self._memory.note(record)
        except BaseException:
            del self._running[session]
            raise
        feed = self._feed(record, is_kept=is_kept)
        return self._begin(record, self._plan(session, options, language), feed, is_kept=is_kept)

    async def resume(self, owner: str, session: str) -> LiveSession:
        """Attach a client that comes back, to a session in memory or remembered by the store.

        Raises:
            NotFoundError: There is none of this owner, or it was forgotten.
            BusyError: As `open()`.
            StoreError: The store cannot be asked.
        """
        async with self._restoring:
            found = self._running.get(session)
            if found is not None and found.owner != owner:
                raise NotFoundError(NOT_FOUND)
            if found is None or found.transcription is None:
                return await self._restore(owner, session)
            self._metrics.live_resumed.labels("memory").inc()
            return LiveSession(found.transcription)

    def owner(self, session: str) -> str:
        """Return whose a session of this process is.

        Raises:
            NotFoundError: There is none.
        """
        if (found := self._running.get(session)) is None:
            raise NotFoundError(NOT_FOUND)
        return found.owner

    async def forget(self, owner: str | None, *, session: str = "", person: str = "") -> int:
        """Take back what running sessions said: one of them, or all of a person.

        Args:
            owner: Whose sessions; None for everybody's.
            session: Which one.
            person: Or whose words: the declared speaker's, or the owner's.

        Returns:
            How many sessions took back something.

        Raises:
            StoreError: The store cannot be asked.
        """
        found = [
            running
            for name, running in self._running.items()
            if owner in (None, running.owner)
            and (name == session or (person and speaks(running, person)))
        ]
        for running in found:
            if running.transcription is not None and not running.transcription.feed.is_closed:
                await forget(running, self._memory)
        return len(found)

    async def drain(self, deadline_s: float) -> None:
        """Open no more; let last words come out, and clients know; done by the deadline."""
        self._admission.is_stopping = True
        for each in self._running.values():
            if each.transcription is not None:
                each.transcription.finish(End.RESTART, within_s=deadline_s)
        try:
            async with asyncio.timeout(deadline_s + 1):
                await self._supervisor.idle()
        except TimeoutError:
            log.warning("live_sessions_not_drained", count=self.count)

    async def _restore(self, owner: str, session: str) -> LiveSession:
        """Go on with a session of another process, or tell the end of one that is over."""
        if self._memory is None:
            raise NotFoundError(NOT_FOUND)
        record, events = await self._memory.find(owner, session)
        options = remembered.unpack(record.options)
        if not record.closed:
            self._admission.admit(owner, self._running.values())
        left = remembered.left(events)
        plan = self._plan(session, options, self._language(options), left)
        is_kept = not record.closed and await self._memory.note(record)
        feed = Feed(
            live_feed(session),
            journal=self._memory.journal if is_kept else None,
            restored=events,
            epoch=record.epoch,
        )
        self._metrics.live_resumed.labels("store").inc()
        log.info("live_session_restored", session=session[:8], seq=feed.seq)
        found = self._begin(record, plan, feed, is_kept=is_kept, before=events)
        if record.closed:
            await found.finish()
        return found

    def _feed(self, record: LiveRecord, *, is_kept: bool) -> Feed:
        journal = self._memory.journal if self._memory and is_kept else None
        return Feed(live_feed(record.id), journal=journal, epoch=record.epoch)

    def _begin(
        self,
        record: LiveRecord,
        plan: Plan,
        feed: Feed,
        *,
        is_kept: bool,
        before: Sequence[Numbered] = (),
    ) -> LiveSession:
        language = "" if plan.language == AUTO else plan.language
        keeping = None
        if self._memory is not None and not record.closed:
            keeping = self._memory.keeping(record, plan.options, language, before)
        transcription = Transcription(
            plan,
            engine=self._engine,
            feed=feed,
            metrics=self._metrics,
            clock=lambda: time.time() - feed.epoch,
            on_told=keeping.put if keeping else lambda _: None,
        )
        self._running[plan.id] = Running(record.owner, transcription, is_kept, keeping)
        session = LiveSession(transcription)
        begun = _Begun(transcription, is_kept, keeping)
        self._supervisor.start(plan.id, partial(self._run, begun))
        return session

    async def _run(self, begun: _Begun) -> None:
        transcription = begun.transcription
        self._metrics.live_sessions.inc()
        try:
            async with asyncio.TaskGroup() as group:
                if begun.keeping is not None:
                    group.create_task(begun.keeping.run(), name="live-keep")
                try:
                    with self._feeds.listed(transcription.feed):
                        await transcription.run()
                finally:
                    if begun.keeping is not None:
                        begun.keeping.close()
            if transcription.end is not End.RESTART:
                await self._close(begun)
        finally:
            # Only now: who comes back meanwhile finds the session as it ended.
            self._running.pop(transcription.plan.id, None)
            self._metrics.live_sessions.dec()

    async def _close(self, begun: _Begun) -> None:
        transcription = begun.transcription
        if begun.keeping is not None:
            await begun.keeping.end(ended_at=time.time(), duration=transcription.position)
        if begun.is_kept and self._memory is not None:
            await self._memory.close(transcription.plan.id)

    def _plan(
        self,
        session: str,
        options: LiveOptions,
        language: str,
        left: remembered.Left | None = None,
    ) -> Plan:
        settings = self._settings
        return Plan(
            id=session,
            options=options,
            language=language,
            chunk_ms=settings.chunk_ms,
            backlog_s=settings.backlog_s,
            replay_s=settings.replay_s,
            idle_s=settings.live_idle_s,
            resume_s=settings.live_resume_s,
            left=left,
        )

    def _language(self, options: LiveOptions) -> str:
        known = self._engine.capabilities.languages
        wanted = options.language or self._settings.language
        if (code := match(wanted, known)) is None:
            raise UnsupportedLanguageError(wanted, known)
        return code


def _failed(session: str, error: LivebotError) -> None:
    log.error("live_session_failed", session=session[:8], error=str(error))
