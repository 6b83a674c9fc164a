"""One conversation's events in order, for any number of readers.

A reader has no queue here but a place: the number of the last event it has. Who is slow falls
behind, and once what comes next is no longer kept gets a snapshot in its place. So a feed takes
as much memory with a hundred readers as with one, and none holds up another.

Where there is a journal, readers get an event only once the journal has it: what anybody was told
can be told again after a crash.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final as Constant
from typing import Protocol

from livebot.feeds.events import (
    Event,
    Final,
    Gap,
    Interim,
    Notice,
    Numbered,
    Snapshot,
    Speaker,
)
from livebot.feeds.forgetting import emptied, nameless, taken_back

MOST_EVENTS: Constant = 4096
"""Kept one by one for readers who come back; some minutes of a lively call."""

MOST_FINALS: Constant = 500
MOST_GAPS: Constant = 100
"""In a snapshot: the newest."""

MOST_AT_ONCE: Constant = 256
"""Events that a reader gets at once."""


class Journal(Protocol):
    """Keeps the events of feeds where a crash does not reach them."""

    def put(self, feed: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Keep an event; never waits.

        Args:
            feed: Whose.
            numbered: The event.
            done: Called on the loop, in order, with its number once it is kept, or once it is
                certain that it cannot be: captions do not wait for a disk.
        """


class Feed:
    """The events of one call or live session.

    Args:
        name: Which, for the journal.
        journal: Where events are kept; None for nowhere.
        restored: What the journal has of it, in order, without a gap.
        epoch: Seconds since 1970 where its time line begins; None for now.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Journal | None = None,
        restored: Iterable[Numbered] = (),
        epoch: float | None = None,
    ) -> None:
        self.name = name
        self.epoch = time.time() if epoch is None else epoch
        self._journal = journal
        self._pending: deque[Numbered] = deque()
        self._kept: deque[Numbered] = deque(maxlen=MOST_EVENTS)
        self._finals: deque[Final] = deque(maxlen=MOST_FINALS)
        self._interims: dict[str, Interim] = {}
        self._gaps: dict[str, Gap] = {}
        self._complete = True
        self._closed = False
        self._wake = asyncio.Event()
        self._last = self._released = 0
        for numbered in restored:
            if not self._released:
                self._last = self._released = numbered.seq - 1
                self._complete = not self._last
            self._last = numbered.seq
            self._pending.append(numbered)
        self._release(self._last)

    @property
    def seq(self) -> int:
        """Return the number of the newest event that readers may have; 0 before the first."""
        return self._released

    @property
    def is_closed(self) -> bool:
        """Whether no more events come."""
        return self._closed

    def publish(self, event: Event) -> int:
        """Add an event and return its number; never waits.

        Raises:
            RuntimeError: The feed is closed.
        """
        if self._closed:
            raise RuntimeError("the feed is closed")
        self._last += 1
        numbered = Numbered(self._last, time.time(), event)
        self._pending.append(numbered)
        if self._journal is None:
            self._release(self._last)
        else:
            self._journal.put(self.name, numbered, self._release)
        return self._last

    def close(self) -> None:
        """Take no more events; readers end after the last one. May be called twice."""
        self._closed = True
        self._wake.set()

    def forget(self, whose: Callable[[Speaker], bool]) -> int:
        """Take back what some speakers said; return how many utterances that were.

        What was told of them stays at its number, emptied: numbers have no gap, and who comes
        back finds nothing of it. Who reads along is told of each utterance that was shown by a
        final without words, which takes it back. What a journal keeps is not touched.

        Args:
            whose: Says whether a speaker is one of them.
        """
        shown: list[Final | Interim] = [*self._finals, *self._interims.values()]
        gone = [said for said in shown if whose(said.speaker)]
        self._finals = deque((f for f in self._finals if not whose(f.speaker)), MOST_FINALS)
        self._interims = {k: i for k, i in self._interims.items() if not whose(i.speaker)}
        for name, gap in self._gaps.items():
            if whose(gap.speaker):
                self._gaps[name] = nameless(gap)
        self._kept = deque((_forgotten(each, whose) for each in self._kept), MOST_EVENTS)
        self._pending = deque(_forgotten(each, whose) for each in self._pending)
        for said in () if self._closed else gone:
            self.publish(taken_back(said))
        return len(gone)

    async def read(self, after: int) -> list[Numbered] | Snapshot:
        """Return what comes after a number, waiting for it; cancelling loses nothing.

        Returns:
            Some events, the first of them numbered `after + 1`; a snapshot where that one is no
            longer kept, or does not exist yet; nothing once the feed is closed and all was read.
        """
        while True:
            if after > self._last:
                return self.snapshot()
            if after < self._released:
                return self._from(after)
            if self._closed and not self._pending:
                return []
            self._wake.clear()
            await self._wake.wait()

    def snapshot(self) -> Snapshot:
        """Return all there is."""
        return Snapshot(
            seq=self._released,
            epoch=self.epoch,
            finals=tuple(self._finals),
            interims=tuple(self._interims.values()),
            gaps=tuple(self._gaps.values()),
            complete=self._complete,
        )

    def _from(self, after: int) -> list[Numbered] | Snapshot:
        first = self._kept[0].seq
        if after + 1 < first:
            return self.snapshot()
        # Those who keep up want the last few of thousands.
        wanted = min(self._released - after, MOST_AT_ONCE)
        begin = after + 1 - first
        return [self._kept[begin + number] for number in range(wanted)]

    def _release(self, seq: int) -> None:
        """Let readers have all events up to a number."""
        while self._pending and self._pending[0].seq <= seq:
            numbered = self._pending.popleft()
            self._released = numbered.seq
            self._kept.append(numbered)
            self._note(numbered.event)
        self._wake.set()

    def _note(self, event: Event) -> None:
        match event:
            case Interim(text="", utterance=name):
                self._interims.pop(name, None)  # taken back: it was nothing
            case Interim():
                self._interims[event.utterance] = event
            case Final(text="", utterance=name):
                self._interims.pop(name, None)
                self._finals = deque((f for f in self._finals if f.utterance != name), MOST_FINALS)
            case Final():
                self._interims.pop(event.utterance, None)
                self._complete = self._complete and len(self._finals) < MOST_FINALS
                self._finals.append(event)
            case Gap():
                self._gaps[event.gap] = event
                if len(self._gaps) > MOST_GAPS:
                    del self._gaps[next(iter(self._gaps))]
            case Notice():
                pass


def _forgotten(numbered: Numbered, whose: Callable[[Speaker], bool]) -> Numbered:
    """Return an event, emptied where it is about one of those who are forgotten."""
    event = numbered.event
    if isinstance(event, Notice) or not whose(event.speaker):
        return numbered
    return Numbered(numbered.seq, numbered.at, emptied(event))
