"""Words of audio that was sent twice: those that readers have already are taken out.

Rule: rather a word twice than a word never. Where it cannot be told, all words are let through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from livebot.stt.engine import Word

ANCHOR = 3
"""So many words in a row are taken for the same ones, where words carry no times."""

MOST_TOLD = 40
"""So many of the last words told are remembered: ten seconds of fast speech, and more than is
sent twice before the last of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """A word that readers have; it was spoken before `by`, on the room's time line."""

    word: Word
    by: float


class Continuation:
    """The words of one stream that begins with audio sent before.

    Args:
        told: The last words that readers have, oldest first, with times of the room's time
            line where the engine gives any; no older than the audio that is sent again.
    """

    def __init__(self, told: Sequence[Word]) -> None:
        self._last = max(
            (word for word in told if word.end is not None),
            key=lambda word: word.end or 0.0,
            default=None,
        )
        self._told = [_key(word) for word in told]
        self._held: list[Word] = []
        self._is_over = not told

    @property
    def is_over(self) -> bool:
        """Whether all that comes from now on is new."""
        return self._is_over

    @property
    def is_holding(self) -> bool:
        """Whether words wait for more of them."""
        return bool(self._held)

    def feed(self, word: Word) -> list[Word]:
        """Take a word in, its times on the room's time line; return the words that are new."""
        if self._is_over:
            return [word]
        if self._last is not None and word.end is not None:
            return self._feed_timed(word, self._last)
        self._held.append(word)
        if (new_from := self._match()) is not None:
            self._held = self._held[new_from:]
            return self.flush()
        return self.flush() if len(self._held) >= len(self._told) + ANCHOR else []

    def flush(self) -> list[Word]:
        """Return the words that still wait: nothing more comes that could tell them apart."""
        held, self._held = self._held, []
        self._is_over = self._is_over or bool(held)
        return held

    def _feed_timed(self, word: Word, last: Word) -> list[Word]:
        (start, end), (last_start, last_end) = _span(word), _span(last)
        is_old = (start + end) / 2 <= last_end
        # Two streams time the same word differently; a word said twice begins where it ended.
        is_last = _key(word) == _key(last) and abs(start - last_start) <= abs(start - last_end)
        if is_old or is_last:
            return []
        self._is_over = True
        return [word]

    def _match(self) -> int | None:
        """Return where in the words held what was told ends; None if it is not there yet."""
        size = min(ANCHOR, len(self._told))
        heard = [_key(word) for word in self._held]
        return len(heard) if heard[-size:] == self._told[-size:] else None


def recent(told: Sequence[Told], since: float) -> list[Word]:
    """Return the words that may come again when audio is sent from `since` on."""
    kept = takewhile(lambda each: each.by > since, reversed(told))
    return [each.word for each in kept][::-1]


def _span(word: Word) -> tuple[float, float]:
    end = word.end or 0.0
    return (end if word.start is None else word.start), end


def _key(word: Word) -> str:
    """Return a word as it sounds: neither case nor punctuation does."""
    return "".join(letter for letter in word.text.casefold() if letter.isalnum()) or word.text
