"""How far the times of recognised words are from an aligned reference (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np


@dataclass(frozen=True, slots=True)
class Timed:
    """A word and when it was said, in seconds."""

    text: str
    start: float
    end: float

    @property
    def letters(self) -> str:
        """Return what is heard of it: no punctuation, no capitals."""
        return "".join(c for c in self.text.casefold() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute differences in seconds.

    Attributes:
        starts: Of each word that was understood.
        ends: The same, of their ends.
        words: Words in the reference.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    words: int

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(self.starts + other.starts, self.ends + other.ends, self.words + other.words)

    @property
    def start_text(self) -> str:
        """Return median and 90th percentile of the starts."""
        return _spread(self.starts)

    @property
    def end_text(self) -> str:
        """Return the same of the ends."""
        return _spread(self.ends)


NONE = Errors((), (), 0)


def compare(reference: Sequence[Timed], understood: Sequence[Timed]) -> Errors:
    """Compare the words that both have, in order."""
    matcher = SequenceMatcher(
        a=[word.letters for word in reference],
        b=[word.letters for word in understood],
        autojunk=False,
    )
    pairs = [
        (reference[block.a + n], understood[block.b + n])
        for block in matcher.get_matching_blocks()
        for n in range(block.size)
    ]
    return Errors(
        tuple(abs(a.start - b.start) for a, b in pairs),
        tuple(abs(a.end - b.end) for a, b in pairs),
        len(reference),
    )


def disorder(words: Iterable[Timed]) -> list[Timed]:
    """Return the words that end before they start, or start or end before one before them."""
    found, start, end = [], 0.0, 0.0
    for word in words:
        if word.start < start or word.end < max(end, word.start):
            found.append(word)
        start, end = word.start, word.end
    return found


def _spread(errors: Sequence[float]) -> str:
    if not errors:
        return "none"
    median, most = np.percentile(errors, [50, 90])
    return f"median {median:.2f} s, 90 % within {most:.2f} s"
