"""What became of the words that were spoken: pure bookkeeping.

Words spoken and words in captions are aligned as for a word error rate (`jiwer`, on words
after Whisper's rules for English). A word is delivered if the alignment gives it a word of a
caption, be it another one: what the engine mishears is not lost. It is lost if it gives none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import jiwer

from tests.support.wer import normalized

MARGIN_S = 2.0
"""How far from what was announced a lost word may be."""

RUN = 2
"""Fewer missing words in a row may be the alignment's doing, or the engine's at a seam."""

_NOTICE = re.compile(r"^\[.*\]$")
_SECONDS = re.compile(r"(\d+) s\b")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word and when it had been spoken, on the clock of `time.monotonic`."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A caption and when the reader got it, on the same clock."""

    text: str
    at: float

    @property
    def is_notice(self) -> bool:
        """Whether it tells of a gap instead of words."""
        return _NOTICE.match(self.text.strip()) is not None

    @property
    def seconds(self) -> float | None:
        """Return how long a gap a notice tells of; None if it does not say."""
        found = _SECONDS.search(self.text)
        return float(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Lost:
    """Words in a row that came to nobody.

    Attributes:
        is_announced: Whether the reader was told of a gap there.
    """

    words: tuple[Spoken, ...]
    is_announced: bool

    def __str__(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Account:
    """One speaker's words.

    Attributes:
        spoken: How many.
        lost: Those that came to nobody, by runs.
        delays: For each word delivered when it was spoken and how much later it was shown.
        notices: What the reader was told instead.
        made_up: Words in captions that nobody had spoken, or that came twice.
    """

    spoken: int
    lost: tuple[Lost, ...]
    delays: tuple[tuple[float, float], ...]
    notices: tuple[Shown, ...]
    made_up: int

    @property
    def words_lost(self) -> int:
        """Return how many words are lost."""
        return sum(len(run.words) for run in self.lost)

    @property
    def silent(self) -> list[Lost]:
        """Return the runs of words that were lost without a word about it."""
        return [run for run in self.lost if len(run.words) >= RUN and not run.is_announced]


def account(spoken: Sequence[Spoken], shown: Sequence[Shown]) -> Account:
    """Compare what was spoken with the captions of the same person, in order."""
    tokens = [Spoken(token, word.at) for word in spoken for token in _tokens(word.text)]
    notices = tuple(caption for caption in shown if caption.is_notice)
    understood = [
        (token, index)
        for index, caption in enumerate(shown)
        if not caption.is_notice
        for token in _tokens(caption.text)
    ]
    pairs, made_up = _aligned([t.text for t in tokens], [text for text, _ in understood])
    caption_of = {i: understood[j][1] for i, j in pairs.items()}
    return Account(
        spoken=len(tokens),
        lost=tuple(
            Lost(tuple(tokens[i] for i in run), _is_announced(run, tokens, caption_of, shown))
            for run in _runs(i for i in range(len(tokens)) if i not in pairs)
        ),
        delays=tuple((tokens[i].at, shown[c].at - tokens[i].at) for i, c in caption_of.items()),
        notices=notices,
        made_up=made_up,
    )


def _tokens(text: str) -> list[str]:
    return normalized(text).split()


def _aligned(said: Sequence[str], understood: Sequence[str]) -> tuple[dict[int, int], int]:
    """Return which word understood belongs to which one said, and how many to none."""
    if not said or not understood:
        return {}, len(understood)
    out = jiwer.process_words(" ".join(said), " ".join(understood))
    pairs: dict[int, int] = {}
    for chunk in out.alignments[0]:
        if chunk.type in {"equal", "substitute"}:
            pairs |= zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            )
    return pairs, out.insertions


def _runs(indices: Iterable[int]) -> list[list[int]]:
    """Group consecutive numbers."""
    runs = groupby(enumerate(indices), key=lambda pair: pair[1] - pair[0])
    return [[index for _, index in run] for _, run in runs]


def _is_announced(
    run: Sequence[int],
    tokens: Sequence[Spoken],
    caption_of: dict[int, int],
    shown: Sequence[Shown],
) -> bool:
    """Say whether a notice tells of these words.

    It does if all of them were spoken in the time it tells of, which ends when it is shown; or
    if it stands where they are missing, between the captions before and after them, and tells
    of a time that is long enough. Both with `MARGIN_S` to spare.
    """
    began, ended = tokens[run[0]].at, tokens[run[-1]].at
    before = max((c for i, c in caption_of.items() if i < run[0]), default=-1)
    after = min((c for i, c in caption_of.items() if i > run[-1]), default=len(shown))
    for index, notice in enumerate(shown):
        if not notice.is_notice:
            continue
        seconds = notice.seconds if notice.seconds is not None else float("inf")
        in_time = notice.at - seconds - MARGIN_S <= began and ended <= notice.at + MARGIN_S
        in_place = before <= index <= after and ended - began <= seconds + MARGIN_S
        if in_time or in_place:
            return True
    return False
