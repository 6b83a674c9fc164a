"""What was said lately, for readers who come late."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace

from livebot.captions.caption import Caption
from livebot.ids import TalkSessionId
from livebot.rooms.outbox import Outgoing
from livebot.rooms.readers import Audience, Reader

MOST_ENTRIES = 400
"""About two minutes of five people talking at once, in both modes; the oldest go."""

MOST_SEEN = 1000
"""So many readers are remembered, and what they have seen; those who read longest ago go."""


class History:
    """The last captions of one room, as they were sent; kept in memory only.

    Args:
        keep_s: For how long; 0 keeps nothing.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._entries: deque[tuple[int, float, Outgoing]] = deque(maxlen=MOST_ENTRIES)
        self._seen: OrderedDict[TalkSessionId, int] = OrderedDict()
        self._last = 0

    def note(self, item: Outgoing, readers: Iterable[Reader], now: float) -> None:
        """Note a caption that goes out, and who gets it; `now` on any steady clock."""
        if not self._is_kept(item):
            return
        self._last += 1
        self._entries.append((self._last, now, item))
        while self._entries and self._entries[0][1] < now - self._keep_s:
            self._entries.popleft()
        for reader in readers:
            self._saw(reader)

    def missed_by(self, reader: Reader, now: float) -> list[Outgoing]:
        """Return what somebody who begins to read has not seen, oldest first, for them alone."""
        if not reader.talk:
            return []
        seen = self._seen.get(reader.talk, 0)
        self._saw(reader)
        return [
            replace(item, audience=Audience(only=reader.session, any_target=True), history=True)
            for number, at, item in self._entries
            if number > seen and at >= now - self._keep_s and reader in item.audience
        ]

    def _is_kept(self, item: Outgoing) -> bool:
        """Say whether it is a caption that stays as it is, and is not one sent once more."""
        caption = item.caption
        if not self._keep_s or item.history or not isinstance(caption, Caption):
            return False
        return caption.final and all(item is not known for _, _, known in self._entries)

    def _saw(self, reader: Reader) -> None:
        if not reader.talk:
            return
        self._seen[reader.talk] = self._last
        self._seen.move_to_end(reader.talk)
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
