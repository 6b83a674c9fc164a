"""Words of audio that was sent twice: those that readers have already are taken out.

Rule: rather a word twice than a word never. Where it cannot be told, all words are let through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from livebot.stt.engine import Word

ANCHOR = 3
"""So many words in a row are taken for the same ones, where words carry no times."""

MOST_TOLD = 150
"""So many of the last words told are remembered: half a minute of fast speech, which is what is
sent twice at most."""


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
        """Return where in the words held what was told ends; None if that is not clear yet."""
        heard = [_key(word) for word in self._held]
        overlaps = [
            (skipped, told)
            for skipped in (0, 1)  # the first word may be one that was cut in two
            for told in range(len(self._told))
            if _agree(heard[skipped:], self._told[told:])
        ]
        ends = [skipped + len(self._told) - told for skipped, told in overlaps]
        if any(end > len(heard) for end in ends):
            return None
        if ends:
            return max(ends)
        # Something in between was understood differently: whole phrases are enough.
        is_phrase = len(self._told) >= ANCHOR and heard[-ANCHOR:] == self._told[-ANCHOR:]
        return len(heard) if is_phrase else None


def recent(told: Sequence[Told], since: float) -> list[Word]:
    """Return the words that may come again when audio is sent from `since` on."""
    kept = takewhile(lambda each: each.by > since, reversed(told))
    return [each.word for each in kept][::-1]


def _agree(heard: Sequence[str], told: Sequence[str]) -> bool:
    """Return whether two sequences are the same as far as both go, which is not nothing."""
    size = min(len(heard), len(told))
    return size > 0 and heard[:size] == told[:size]


def _span(word: Word) -> tuple[float, float]:
    end = word.end or 0.0
    return (end if word.start is None else word.start), end


def _key(word: Word) -> str:
    """Return a word as it sounds: neither case nor punctuation does."""
    return "".join(letter for letter in word.text.casefold() if letter.isalnum()) or word.text
