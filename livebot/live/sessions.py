"""All live sessions of the process: opened, found again, counted, let go."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

from livebot import logs
from livebot.errors import (
    BusyError,
    LivebotError,
    NotFoundError,
    QuotaError,
    UnsupportedLanguageError,
)
from livebot.feeds.directory import Feeds, live_feed
from livebot.feeds.feed import Feed
from livebot.hearing.supervisor import Supervisor
from livebot.live.options import LiveOptions
from livebot.live.session import LiveSession
from livebot.live.transcription import End, Plan, Transcription
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.stt.engine import SttEngine
from livebot.stt.languages import match

log = logs.get("live")

QUOTA_RETRY_S = 60.0
"""When an owner with too many sessions may ask again: one may have ended by then."""


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
        self._store = store
        self._metrics = metrics
        self._overload = overload
        self._stack = AsyncExitStack()
        self._running: dict[str, tuple[str, Transcription]] = {}
        self._is_stopping = False
        self._supervisor: Supervisor[str] = Supervisor(self._failed)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._stack.enter_async_context(self._supervisor)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all sessions; those whose clients may come back are remembered."""
        self._is_stopping = True
        await self._stack.aclose()

    async def open(self, owner: str, options: LiveOptions) -> LiveSession:
        """Open a session, attached to its client.

        Raises:
            RequestError: The options make no sense, or the language is not understood.
            BusyError: There are too many sessions, or the service is overloaded or stops.
            QuotaError: The owner has as many as it may have.
        """
        options.check()
        language = self._language(options)
        self._admit(owner)
        session = secrets.token_hex(16)
        feed = Feed(live_feed(session))
        return self._begin(owner, self._plan(session, options, language), feed)

    async def resume(self, owner: str, session: str) -> LiveSession:
        """Attach a client that comes back, to a session in memory or remembered by the store.

        Raises:
            NotFoundError: There is none of this owner, or it was forgotten.
            BusyError: As `open()`.
        """
        whose, found = self._running.get(session, ("", None))
        if found is None or whose != owner:
            raise NotFoundError("there is no such live session: open another one")
        return LiveSession(found)

    async def drain(self, deadline_s: float) -> None:
        """Open no more; let last words come out, and clients know; done by the deadline."""
        self._is_stopping = True
        for _, each in self._running.values():
            each.finish(End.RESTART, within_s=deadline_s)
        await self._supervisor.idle()

    @property
    def count(self) -> int:
        """Return how many there are, those included whose clients may come back."""
        return len(self._running)

    def _begin(self, owner: str, plan: Plan, feed: Feed) -> LiveSession:
        transcription = Transcription(
            plan,
            engine=self._engine,
            feed=feed,
            metrics=self._metrics,
            clock=lambda: time.time() - feed.epoch,
        )
        self._running[plan.id] = owner, transcription
        session = LiveSession(transcription)
        self._supervisor.start(plan.id, partial(self._run, transcription))
        return session

    async def _run(self, transcription: Transcription) -> None:
        self._metrics.live_sessions.inc()
        try:
            with self._feeds.listed(transcription.feed):
                await transcription.run()
        finally:
            del self._running[transcription.plan.id]
            self._metrics.live_sessions.dec()

    def _failed(self, session: str, error: LivebotError) -> None:
        log.error("live_session_failed", session=session[:8], error=str(error))

    def _plan(self, session: str, options: LiveOptions, language: str) -> Plan:
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
        )

    def _language(self, options: LiveOptions) -> str:
        known = self._engine.capabilities.languages
        wanted = options.language or self._settings.language
        if (code := match(wanted, known)) is None:
            raise UnsupportedLanguageError(wanted, known)
        return code

    def _admit(self, owner: str) -> None:
        """Check that an owner may have one more.

        Raises:
            BusyError: Nobody may.
            QuotaError: This one may not.
        """
        if self._is_stopping:
            raise self._refused("stopping", BusyError("the service stops; try again later"))
        if reasons := self._overload():
            text = f"no new live sessions now ({', '.join(reasons)}); try again later"
            raise self._refused("overload", BusyError(text))
        if len(self._running) >= self._settings.max_live:
            text = f"{len(self._running)} live sessions are all there may be; try again later"
            raise self._refused("full", BusyError(text))
        own = sum(whose == owner for whose, _ in self._running.values())
        if self._settings.key_live and own >= self._settings.key_live:
            text = f"{own} live sessions are all of this key"
            raise self._refused("quota", QuotaError(text, retry_in_s=QUOTA_RETRY_S))

    def _refused(self, reason: str, error: LivebotError) -> LivebotError:
        self._metrics.live_refused.labels(reason).inc()
        return error
