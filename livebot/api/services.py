"""What the service does besides captions in calls, as the API needs it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from livebot.api.tickets import Tickets
from livebot.errors import BusyError
from livebot.feeds.directory import Feeds
from livebot.jobs.service import Jobs
from livebot.live.sessions import LiveSessions
from livebot.store.contract import Store
from livebot.store.records import Share


@dataclass(frozen=True, slots=True)
class Services:
    """All of it; what is None is not there, and `why` says why and what to do.

    Attributes:
        feeds: What is said now, in calls and live sessions.
        store: What is kept.
        jobs: Files.
        live: Live sessions.
        tickets: For pages that open WebSockets.
        page: Whether there is a page.
        calls: Whether calls are captioned.
        languages: What the engine understands: codes and English names.
    """

    feeds: Feeds = field(default_factory=Feeds)
    store: Store | None = None
    jobs: Jobs | None = None
    live: LiveSessions | None = None
    why: str = "it is switched off"
    tickets: Tickets = field(default_factory=Tickets)
    page: bool = True
    calls: bool = True
    languages: Mapping[str, str] = field(default_factory=dict)

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""
        found = [*self.store.troubles()] if self.store else []
        return [*found, *self.jobs.troubles()] if self.jobs else found

    async def find_share(self, token: str) -> Share | None:
        """Return what a link's token opens now; None where it opens nothing."""
        return await self.store.shares.find(token, time.time()) if self.store else None

    def need_store(self) -> Store:
        """Return the store.

        Raises:
            BusyError: There is none.
        """
        if self.store is None:
            raise BusyError(f"nothing is kept here: {self.why}")
        return self.store

    def need_jobs(self) -> Jobs:
        """Return the jobs.

        Raises:
            BusyError: There are none.
        """
        if self.jobs is None:
            raise BusyError(f"there are no jobs here: {self.why}")
        return self.jobs

    def need_live(self) -> LiveSessions:
        """Return the live sessions.

        Raises:
            BusyError: There are none.
        """
        if self.live is None:
            raise BusyError(f"there are no live sessions here: {self.why}")
        return self.live
