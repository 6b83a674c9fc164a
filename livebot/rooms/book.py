"""One transcript of a call on its way to the store."""

from collections import deque
from dataclasses import dataclass, field, replace

from livebot.rooms.keeping import Erasure
from livebot.store.records import StoredGap, StoredUtterance, TranscriptHead


@dataclass(frozen=True, slots=True)
class Ending:
    """How a transcript ended."""

    ended_at: float
    duration: float
    language: str


@dataclass(slots=True, eq=False)
class Book:
    """What waits to be kept of one transcript.

    Attributes:
        head: What is known of it.
        origin: Where on the room's time line it begins, in seconds.
        waiting: What was said or is missing, oldest first, on the room's time line.
        ending: Set once nothing more comes.
        is_begun: Whether the store knows of it.
        is_erased: Whether somebody erased it: nothing more is kept.
    """

    head: TranscriptHead
    origin: float = 0.0
    waiting: deque[StoredUtterance | StoredGap] = field(default_factory=deque)
    ending: Ending | None = None
    is_begun: bool = False
    is_erased: bool = False

    def is_of(self, erasure: Erasure) -> bool:
        """Say whether all of it is erased."""
        by_room = bool(erasure.room) and erasure.room == self.head.room
        return by_room or (bool(erasure.transcript) and erasure.transcript == self.head.id)

    def forget(self, person: str) -> None:
        """Drop what waits of somebody."""
        self.waiting = deque(each for each in self.waiting if each.person != person)

    def placed(self, said: StoredUtterance | StoredGap) -> StoredUtterance | StoredGap:
        """Return something on the transcript's own time line."""
        if not self.origin:
            return said
        end = None if said.end is None else self._since(said.end)
        if isinstance(said, StoredGap):
            return replace(said, start=self._since(said.start), end=end)
        words = tuple(
            type(word)(
                word.text,
                None if word.start is None else self._since(word.start),
                None if word.end is None else self._since(word.end),
                word.joined,
            )
            for word in said.words
        )
        return replace(said, start=self._since(said.start), end=end or 0.0, words=words)

    def _since(self, seconds: float) -> float:
        return max(0.0, seconds - self.origin)
