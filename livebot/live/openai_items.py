"""What is said becomes items, as OpenAI's realtime transcription tells it (pure).

With turn detection each utterance is one; without it, all that was said until a commit is.
Deltas are the characters that have become certain.

Rule: the deltas of an item, joined, are its transcript.
"""

from collections import deque

from livebot.captions import text as texts
from livebot.feeds.events import Event, Final, Gap, Interim, Notice, Numbered, Snapshot
from livebot.live.openai_messages import Item, Message, Writer
from livebot.live.told import Told


class Items:
    """The items of one client.

    Args:
        writer: Makes its messages.

    Attributes:
        has_turns: Whether each utterance is an item.
    """

    def __init__(self, writer: Writer) -> None:
        self.has_turns = True
        self._writer = writer
        self._told = Told()
        self._heard = 0
        self._speaking = ""
        self._open: Item | None = None
        self._waiting: deque[Item] = deque()

    def heard(self, came: Numbered | Snapshot) -> list[Message]:
        """Return what to tell of an event."""
        out: list[Message] = []
        if isinstance(came, Snapshot):
            for final in self._told.new(came.finals):
                out += self._final(final, self._item(0))
        else:
            out += self._event(came.event, came.seq)
        self._heard = came.seq
        return out + self._completed()

    def commit(self, seconds: float) -> list[Message]:
        """End the item; it is complete once `finalized()` was called and its events came."""
        item, self._open = self._open or self._writer.new_item(), None
        item.seconds = seconds
        self._waiting.append(item)
        return self._writer.committed(item) + self._writer.added(item)

    def clear(self) -> list[Message]:
        """Forget what was said until `finalized()` is called, but for what was told already."""
        item, self._open = self._open, None
        dropped = self._writer.new_item()
        dropped.is_dropped = True
        self._waiting.append(dropped)
        self._speaking = ""
        if item is None or not item.told:
            return []
        item.text = item.told
        return self._writer.completed(item)

    def finalized(self, seq: int) -> list[Message]:
        """Note that what was said until `commit()` or `clear()` is in events up to a number."""
        for item in self._waiting:
            if item.until is None:
                item.until = seq
                break
        return self._completed()

    def _event(self, event: Event, seq: int) -> list[Message]:
        item = self._item(seq)
        if item is not None and item.is_dropped:
            return []
        match event:
            case Interim():
                return self._interim(event, item)
            case Final():
                return self._final(event, item) if self._told.is_new(event) else []
            case Gap():
                return [] if event.end is None else self._writer.lost(event)
            case Notice():
                return []

    def _interim(self, event: Interim, item: Item | None) -> list[Message]:
        if not event.text:
            return self._withdrawn(item)
        item = item or self._begin()
        out = self._started(event.utterance, event.start, item)
        stable = event.text[: event.stable].rstrip()
        if not stable:
            return out
        if item.base is None:
            item.base = item.text + texts.gap(item.text, stable, event.language)
        return out + self._writer.delta(item, item.base + stable)

    def _withdrawn(self, item: Item | None) -> list[Message]:
        """Tell that it was nothing after all."""
        if item is None or item in self._waiting or not self.has_turns:
            return []
        return self._stopped(item)

    def _final(self, event: Final, item: Item | None) -> list[Message]:
        if item is not None and item.is_dropped:
            return []
        item = item or self._begin()
        out = self._started(event.utterance, event.start, item)
        if item.base is None:
            item.base = item.text + texts.gap(item.text, event.text, event.language)
        item.text, item.base = item.base + event.text, None
        if self.has_turns and not item.is_committed:
            item.seconds = max(0.0, event.end - item.start)
            return out + self._stopped(item)
        return out + self._writer.delta(item, item.text)

    def _started(self, utterance: str, start: float | None, item: Item) -> list[Message]:
        if not self.has_turns or item.is_committed or utterance == self._speaking:
            return []
        self._speaking = utterance
        item.start = start or 0.0
        return [self._writer.started(item)]

    def _stopped(self, item: Item) -> list[Message]:
        """Tell that an utterance is over, and with it its item."""
        self._open, self._speaking = None, ""
        return [self._writer.stopped(item), *self._writer.completed(item)]

    def _completed(self) -> list[Message]:
        """Complete the items whose last event was heard."""
        out: list[Message] = []
        while self._waiting and (until := self._waiting[0].until) is not None:
            if until > self._heard:
                break
            item = self._waiting.popleft()
            self._speaking = ""
            out += [] if item.is_dropped else self._writer.completed(item)
        return out

    def _item(self, seq: int) -> Item | None:
        """Return the item that an event belongs to; None where it begins one."""
        for item in self._waiting:
            if item.until is None or seq <= item.until:
                return item
        return self._open

    def _begin(self) -> Item:
        self._open = self._writer.new_item()
        return self._open
