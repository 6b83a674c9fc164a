"""All live sessions of the process: opened, found again, counted, let go."""

from typing import Self

from livebot.feeds.directory import Feeds
from livebot.live.options import LiveOptions
from livebot.live.session import LiveSession
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.stt.engine import SttEngine


class LiveSessions:
    """The live sessions; to be entered.

    Args:
        settings: `max_live`, `key_live`, `live_idle_s`, `live_resume_s`, `language`, and those of
            recognition.
        engine: Where audio goes; entered already.
        feeds: Where readers find what is said.
        store: Where sessions are remembered and transcripts kept; None for nowhere.
        metrics: What is counted.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: SttEngine,
        feeds: Feeds,
        store: Store | None,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._feeds = feeds
        self._store = store
        self._metrics = metrics

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all sessions; those whose clients may come back are remembered."""

    async def open(self, owner: str, options: LiveOptions) -> LiveSession:
        """Open a session, attached to its client.

        Raises:
            RequestError: The options make no sense, or the language is not understood.
            BusyError: There are too many sessions, or the service is overloaded or stops.
            QuotaError: The owner has as many as it may have.
        """
        raise NotImplementedError((owner, options))

    async def resume(self, owner: str, session: str) -> LiveSession:
        """Attach a client that comes back, to a session in memory or remembered by the store.

        Raises:
            NotFoundError: There is none of this owner, or it was forgotten.
            BusyError: As `open()`.
        """
        raise NotImplementedError((owner, session))

    async def drain(self, deadline_s: float) -> None:
        """Open no more; let last words come out, and clients know; done by the deadline."""
