"""Captions on their way to the readers: the one hand-over to a room's writer.

Policy: of a speaker's partial captions only the newest waits; final ones keep their order
and stay. Behind a writer that is stuck for very long, the oldest go and are reported.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from livebot.captions.caption import Caption
from livebot.captions.gap import Gap
from livebot.ids import SessionId

LIMIT = 1000
"""About ten minutes of five people talking at once."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A caption or a gap, whose it is and in which language."""

    session: SessionId
    caption: Caption | Gap
    language: str


class Outbox:
    """Captions of one room, oldest first; any task puts, one gets.

    Args:
        on_drop: Called with each caption that had to go.
        limit: How many captions wait at most.
    """

    def __init__(self, on_drop: Callable[[Outgoing], None], *, limit: int = LIMIT) -> None:
        self._on_drop = on_drop
        self._limit = limit
        self._waiting: OrderedDict[int, Outgoing] = OrderedDict()
        self._partials: dict[SessionId, int] = {}  # where in `_waiting` a speaker's partial is
        self._count = 0
        self._is_closed = False
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, session: SessionId, caption: Caption | Gap, language: str) -> None:
        """Add a caption, which takes the place of a waiting partial. Ignored once closed."""
        if self._is_closed:
            return
        item = Outgoing(session, caption, language)
        place = self._partials.get(session)
        if place is None:
            place = self._count = self._count + 1
        self._waiting[place] = item
        if isinstance(caption, Gap) or caption.final:
            self._partials.pop(session, None)
        else:
            self._partials[session] = place
        self._wake.set()
        while len(self._waiting) > self._limit:
            self._on_drop(self._take())

    async def get(self) -> Outgoing | None:
        """Take the oldest caption, waiting for one; None once closed and empty.

        Cancelling loses nothing.
        """
        while not self._waiting:
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._take()

    def close(self) -> None:
        """Take no more captions; what waits can still be got. May be called twice."""
        self._is_closed = True
        self._wake.set()

    def _take(self) -> Outgoing:
        place, item = self._waiting.popitem(last=False)
        if self._partials.get(item.session) == place:
            del self._partials[item.session]
        return item
