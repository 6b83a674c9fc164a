"""What became of the words that were spoken: pure bookkeeping.

Words spoken and words in captions are aligned as for a word error rate (`jiwer`, on words
after Whisper's rules for English). A word is delivered if the alignment gives it a word of a
caption, be it another one: what the engine mishears is not lost. It is lost if it gives none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

import jiwer

from tests.support.wer import normalized

MARGIN_S = 2.0
"""How far from what was announced a lost word may be."""

NOTICED_S = 12.0
"""How long something may have been lost before a notice that tells no length."""

LASTS_S = 30.0
"""How long such a notice holds where no other follows that tells the end."""

SHORT_S = 4.0
"""Fewer seconds of talk are not worth a notice; they must be counted, and shown to operators."""

RUN = 2
"""Fewer missing words in a row may be the alignment's doing, or the engine's at a seam."""

_WORD_S = 0.3

_NOTICE = re.compile(r"^\[.*\]$")
_SECONDS = re.compile(r"(\d+) s\b")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word and when it had been spoken, on the clock of `time.monotonic`.

    Attributes:
        counts: Whether it must be delivered; who has just come in may not be heard yet.
    """

    text: str
    at: float
    counts: bool = True


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


class Told(Enum):
    """How far it was told that words are missing."""

    READER = "to the reader"
    OPERATOR = "counted"
    NOBODY = "to nobody"


@dataclass(frozen=True, slots=True)
class Lost:
    """Words in a row that came to nobody, and to whom that was told."""

    words: tuple[Spoken, ...]
    told: Told

    @property
    def seconds(self) -> float:
        """Return how long it took to say them, about."""
        return self.words[-1].at - self.words[0].at + _WORD_S

    def __str__(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Counted:
    """Lost audio in the bot's counters.

    Attributes:
        seconds: How much.
        began: From when it can be, since there was no fault before.
        over: Until when.
    """

    seconds: float
    began: float
    over: float

    def covers(self, began: float, ended: float) -> bool:
        """Say whether words of this time are in it, and too few for a notice."""
        is_there = self.began - MARGIN_S <= began and ended <= self.over + MARGIN_S
        is_short = ended - began <= min(SHORT_S, self.seconds + MARGIN_S)
        return self.seconds > 0 and is_there and is_short


@dataclass(frozen=True, slots=True)
class Delivered:
    """A word that came to the reader.

    Attributes:
        index: Its number among the words spoken.
        at: When it had been spoken.
        late_s: How much later it was shown.
    """

    index: int
    at: float
    late_s: float


@dataclass(frozen=True, slots=True)
class Account:
    """One speaker's words.

    Attributes:
        spoken: How many.
        lost: Those that came to nobody, by runs.
        delays: Those that came.
        notices: What the reader was told instead.
        made_up: Words in captions that nobody had spoken, or that came twice.
    """

    spoken: int
    lost: tuple[Lost, ...]
    delays: tuple[Delivered, ...]
    notices: tuple[Shown, ...]
    made_up: int

    @property
    def words_lost(self) -> int:
        """Return how many words are lost."""
        return sum(len(run.words) for run in self.lost)

    @property
    def silent(self) -> list[Lost]:
        """Return the runs of words that were lost without a word about it."""
        return [run for run in self.lost if len(run.words) >= RUN and run.told is Told.NOBODY]


def account(
    spoken: Sequence[Spoken],
    shown: Sequence[Shown],
    others: Sequence[Shown],
    counted: Counted | None = None,
) -> Account:
    """Compare what was spoken with what the reader was shown.

    Args:
        spoken: One person's words.
        shown: Captions and notices in their name, in order.
        others: Those in others' names: one notice may tell of several people.
        counted: What lost audio the bot has counted.
    """
    tokens = [replace(word, text=token) for word in spoken for token in _tokens(word.text)]
    understood = [
        (token, index)
        for index, caption in enumerate(shown)
        if not caption.is_notice
        for token in _tokens(caption.text)
    ]
    pairs, made_up = _aligned([t.text for t in tokens], [text for text, _ in understood])
    caption_of = {i: understood[j][1] for i, j in pairs.items()}
    times = [*_times(shown), *_times(others)]

    def told(run: Sequence[int]) -> Told:
        # A word at either end may be another one's that the engine misheard.
        core = run[1:-1] if len(run) > 2 * RUN else run
        began, ended = tokens[core[0]].at, tokens[core[-1]].at
        if any(since <= began and ended <= until for since, until in times):
            return Told.READER
        if _stands_there(run, ended - began, caption_of, shown):
            return Told.READER
        is_counted = counted is not None and counted.covers(tokens[run[0]].at, tokens[run[-1]].at)
        return Told.OPERATOR if is_counted else Told.NOBODY

    return Account(
        spoken=sum(token.counts for token in tokens),
        lost=tuple(
            Lost(tuple(tokens[i] for i in run), told(run))
            for run in _runs(i for i, t in enumerate(tokens) if t.counts and i not in pairs)
        ),
        delays=tuple(
            Delivered(i, tokens[i].at, shown[c].at - tokens[i].at) for i, c in caption_of.items()
        ),
        notices=tuple(caption for caption in shown if caption.is_notice),
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


def _times(shown: Sequence[Shown]) -> list[tuple[float, float]]:
    """Return from when to when the notices tell of missing words, `MARGIN_S` included.

    One with a length tells of so much time before it was shown, and of all since a notice
    without a length that came before it.
    """
    times: list[tuple[float, float]] = []
    opened: float | None = None
    for notice in (caption for caption in shown if caption.is_notice):
        if notice.seconds is None:
            opened = notice.at if opened is None else opened
            times.append((notice.at - NOTICED_S - MARGIN_S, notice.at + LASTS_S))
        else:
            since = notice.at - notice.seconds
            since = since if opened is None else min(since, opened)
            times.append((since - MARGIN_S, notice.at + MARGIN_S))
            opened = None
    return times


def _stands_there(
    run: Sequence[int], seconds: float, caption_of: dict[int, int], shown: Sequence[Shown]
) -> bool:
    """Say whether a notice of enough seconds stands between the captions around these words."""
    before = max((c for i, c in caption_of.items() if i < run[0]), default=0)
    after = min((c for i, c in caption_of.items() if i > run[-1]), default=len(shown))
    return any(
        notice.is_notice and (notice.seconds is None or seconds <= notice.seconds + MARGIN_S)
        for notice in shown[before : after + 1]
    )
