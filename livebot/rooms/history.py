"""What was said lately, for readers who come late."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable
from dataclasses import replace

from livebot.captions.caption import Caption
from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.lanes import TRANSLATED, Sentence, sentence
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
        self._entries: deque[tuple[float, Outgoing]] = deque(maxlen=MOST_ENTRIES)
        self._seen: OrderedDict[TalkSessionId | SessionId, int] = OrderedDict()
        self._last = 0

    def note(self, item: Outgoing, readers: Iterable[Reader], now: float) -> None:
        """Note a caption that goes out, and who reads now, in whatever way.

        Who reads in the other mode gets the same words in another caption, and is not to get
        them again after a change of the mode. `now` is of any steady clock.
        """
        if not self._is_kept(item):
            return
        self._last += 1
        self._entries.append((now, replace(item, number=self._last)))
        while self._entries and self._entries[0][0] < now - self._keep_s:
            self._entries.popleft()
        for reader in readers:
            self._saw(reader)

    def missed_by(
        self, reader: Reader, now: float, *, coming: Collection[Sentence] = ()
    ) -> list[Outgoing]:
        """Return what somebody who begins to read has not seen, oldest first, for them alone.

        Who reads in another language gets in the words that were spoken what nobody had
        translated, and is not in `coming`, what is being translated.
        """
        if not reader.talk:
            return []
        # Who they are may not have been known when they began to read with everybody.
        seen = max(self._seen.get(reader.talk, 0), self._seen.get(reader.session, 0))
        self._saw(reader)
        known = {_sentence(item) for _, item in self._entries if _is_in(item, reader.target)}
        known |= {*coming}
        return [
            replace(item, audience=Audience(only=reader.talk), history=True)
            for at, item in self._entries
            if item.number > seen
            and at >= now - self._keep_s
            and (
                reader in item.audience
                or (_is_untranslated(item, reader) and _sentence(item) not in known)
            )
        ]

    def lost(self, items: Iterable[Outgoing]) -> None:
        """Note captions that did not arrive: when they are sent again they are as new.

        Nobody has seen them, nor the same words in the other mode, which may have had no readers.
        """
        gone = {(id(item.caption), item.audience) for item in items if not item.history}
        kept: list[tuple[float, Outgoing]] = []
        first = self._last + 1
        for at, item in self._entries:
            if (id(item.caption), item.audience) in gone:
                first = min(first, item.number)
            else:
                kept.append((at, item))
        self._entries = deque(kept, maxlen=MOST_ENTRIES)
        for who, seen in self._seen.items():
            self._seen[who] = min(seen, first - 1)

    def unread(self, item: Outgoing) -> None:
        """Note that one of `missed_by()` found its reader gone: it is missed, as what follows."""
        who = item.audience.only
        if who is not None and who in self._seen:
            self._seen[who] = min(self._seen[who], item.number - 1)

    def knows(self, item: Outgoing) -> bool:
        """Say whether one of `missed_by()` still is to be sent: not if it comes again as new."""
        return any(known.number == item.number for _, known in self._entries)

    def clear(self) -> None:
        """Forget what was said: whoever comes now comes into another room."""
        self._entries.clear()

    def _is_kept(self, item: Outgoing) -> bool:
        """Say whether it is a caption that stays as it is, and is not one sent once more."""
        caption = item.caption
        is_settled = isinstance(caption, Caption) and caption.final
        return self._keep_s > 0 and is_settled and not item.history

    def _saw(self, reader: Reader) -> None:
        who = reader.talk or reader.session
        self._seen[who] = self._last
        self._seen.move_to_end(who)
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)


def _sentence(item: Outgoing) -> Sentence:
    assert isinstance(item.caption, Caption)  # noqa: S101 - nothing else is kept
    return sentence(item.session, item.caption)


def _is_in(item: Outgoing, target: str | None) -> bool:
    """Say whether it was made for readers of a language that is not spoken."""
    return not item.audience.is_spoken and item.audience.language == target


def _is_untranslated(item: Outgoing, reader: Reader) -> bool:
    """Say whether it is what translations for a reader are made of."""
    spoken = item.audience
    is_foreign = reader.target is not None and spoken.language != reader.target
    return is_foreign and spoken.is_spoken and spoken.mode == TRANSLATED
