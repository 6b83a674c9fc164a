"""Sentences on their way into other languages, in each in the order they were said (pure)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from livebot.captions.caption import Caption, Mode
from livebot.ids import SessionId

MOST_KEPT = 500
"""So many captions wait in one language for one before them, which is then given up."""

TRANSLATED: Mode = "replace"
"""Whose final captions are translated: they are whole sentences."""

Sentence: TypeAlias = tuple[SessionId, float | None, float | None]
"""Whose words, and from when to when: the same in each language."""


def sentence(session: SessionId, caption: Caption) -> Sentence:
    """Return what a caption and its translations have in common."""
    return session, caption.start, caption.end


@dataclass(slots=True, eq=False)
class Item:
    """One caption for the readers of one language.

    Attributes:
        session: Whose words.
        caption: As spoken.
        origin: In which language that is.
        target: The language wanted.
        deadline: When it goes out at the latest.
        translated: The caption in the language wanted, once known.
        is_settled: Whether it waits for nothing but those before it.
    """

    session: SessionId
    caption: Caption
    origin: str
    target: str
    deadline: float
    translated: Caption | None = None
    is_settled: bool = False

    @property
    def result(self) -> tuple[Caption, str]:
        """What readers get, and its language."""
        if self.translated is None:
            return self.caption, self.origin
        return self.translated, self.target

    def settle(self, text: str = "") -> None:
        """Note the translation; without one the caption stays as it was spoken."""
        if not self.is_settled:
            self.is_settled = True
            self.translated = replace(self.caption, text=text) if text else None


class Lanes:
    """Lets items out in the order in which they came, in each language by itself (pure)."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Item]] = {}

    def add(self, item: Item) -> Item | None:
        """Let an item wait behind the others of its language; return one that waits too long."""
        lane = self._lanes.setdefault(item.target, deque())
        lane.append(item)
        return lane[0] if len(lane) > MOST_KEPT else None

    def leave(self, target: str) -> Iterator[Item]:
        """Yield the items of a language that wait for nothing any more."""
        lane = self._lanes.get(target, deque())
        while lane and lane[0].is_settled:
            yield lane.popleft()
        if not lane:
            self._lanes.pop(target, None)

    def of(self, target: str | None) -> list[Item]:
        """Return what waits in one language."""
        return [*self._lanes.get(target or "", ())]

    def all(self) -> list[Item]:
        """Return everything that waits."""
        return [item for lane in self._lanes.values() for item in lane]
