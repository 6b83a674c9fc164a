"""Captions on their way to the readers: the one hand-over to a room's writer.

What was said before somebody came goes first, to that reader alone.

Policy: of what is still to change, a speaker's partial caption or a gap that goes on, only
the newest version waits, in the place of the one before; the rest keeps its order and
stays. Behind a writer that is stuck for very long, the oldest go and are reported.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from livebot.captions.caption import Caption
from livebot.captions.gap import Gap
from livebot.ids import SessionId
from livebot.rooms.readers import ALL_READERS, Audience

LIMIT = 1000
"""About ten minutes of five people talking at once."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A caption or a gap, on its way.

    Attributes:
        session: Whose words they are.
        caption: What is sent.
        language: What it is in.
        audience: Whom it is for.
        history: Whether it was said before its reader came.
        number: Its place in the room's history; 0 where it has none.
    """

    session: SessionId
    caption: Caption | Gap
    language: str
    audience: Audience = ALL_READERS
    history: bool = False
    number: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether no later item can take its place."""
        if isinstance(self.caption, Gap):
            return self.caption.end is not None
        return self.caption.final

    @property
    def subject(self) -> Hashable:
        """What a later version of the same has, too."""
        if isinstance(self.caption, Gap):
            return self.session, self.caption.cause, self.caption.start
        return self.session, self.audience.mode


class Outbox:
    """Captions of one room, oldest first; any task puts, one gets.

    Args:
        on_drop: Called with each caption that had to go.
        limit: How many captions wait at most.
    """

    def __init__(self, on_drop: Callable[[Outgoing], None], *, limit: int = LIMIT) -> None:
        self._on_drop = on_drop
        self._limit = limit
        self._missed: deque[Outgoing] = deque()  # what was said before its reader came
        self._waiting: OrderedDict[int, Outgoing] = OrderedDict()
        self._unsettled: dict[Hashable, int] = {}  # where in `_waiting` a subject is
        self._first = 0
        self._last = 0
        self._is_closed = False
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._missed) + len(self._waiting)

    def put(self, item: Outgoing) -> None:
        """Add a caption, which takes the place of a waiting partial. Ignored once closed."""
        if self._is_closed:
            return
        place = self._unsettled.pop(item.subject, None)
        if place is None:
            place = self._last = self._last + 1
        self._place(place, item)
        self._shrink()

    def put_back(self, items: Sequence[Outgoing]) -> None:
        """Return items that were taken, oldest first, to the front, closed or not.

        What has a newer version is not needed any more.
        """
        newer = {item.subject for item in self._waiting.values()}
        for item in reversed(items):
            if item.history:
                self._missed.appendleft(item)
                self._wake.set()
            elif item.is_settled or item.subject not in newer:
                self._first -= 1
                self._place(self._first, item)
                self._waiting.move_to_end(self._first, last=False)
            newer.add(item.subject)
        self._shrink()

    async def get(self) -> Outgoing | None:
        """Take the oldest caption, waiting for one; None once closed and empty.

        Cancelling loses nothing.
        """
        while not len(self):
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._take()

    def close(self) -> None:
        """Take no more captions; what waits can still be got. May be called twice."""
        self._is_closed = True
        self._wake.set()

    def _place(self, place: int, item: Outgoing) -> None:
        self._waiting[place] = item
        if not item.is_settled:
            self._unsettled[item.subject] = place
        self._wake.set()

    def _shrink(self) -> None:
        while len(self) > self._limit:
            self._on_drop(self._take())

    def _take(self) -> Outgoing:
        if self._missed:
            return self._missed.popleft()
        place, item = self._waiting.popitem(last=False)
        if self._unsettled.get(item.subject) == place:
            del self._unsettled[item.subject]
        return item
