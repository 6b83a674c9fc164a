"""What one speaker's reception has to handle, in order, within bounds.

Any participant can send offers and candidates in their own name, as many as they like.
"""

import asyncio
from dataclasses import dataclass

from livebot.media.peer import Peer
from livebot.rooms.token_bucket import TokenBucket
from livebot.signaling.events import CandidateFound, Offered

LIMIT = 64
"""Candidates that wait to be handled, and as many offers; the newest of a flood are dropped."""

OFFERS, OFFERS_PER_S = 8, 0.5
"""Offers that are taken, at once and in the long run. Each costs some 8 ms, which all other
speakers wait."""


@dataclass(frozen=True, slots=True)
class PeerEnded:
    """No more audio will come from this peer; the reason is a metric's label."""

    peer: Peer
    reason: str


class Inbox:
    """One speaker's."""

    def __init__(self) -> None:
        self._offers = TokenBucket(OFFERS, OFFERS_PER_S)
        # Bounded by `put()`, so that the end of a peer always finds room.
        self._queue: asyncio.Queue[Offered | CandidateFound | PeerEnded] = asyncio.Queue()

    def put(self, event: Offered | CandidateFound, now: float) -> bool:
        """Take what the media server says; False where it has to be dropped."""
        # An offer that is dropped would never come again: a flood of candidates costs none.
        limit = LIMIT if isinstance(event, CandidateFound) else 2 * LIMIT
        if isinstance(event, Offered) and not self._offers.take(now):
            return False
        if self._queue.qsize() >= limit:
            return False
        self._queue.put_nowait(event)
        return True

    def put_end(self, end: PeerEnded) -> None:
        """Take note of the end of a peer."""
        self._queue.put_nowait(end)

    async def get(self) -> Offered | CandidateFound | PeerEnded:
        """Return what is to be handled next."""
        return await self._queue.get()
