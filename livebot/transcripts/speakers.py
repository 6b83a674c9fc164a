"""Words and turns become utterances of named speakers (pure)."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from livebot.stt.diarize.turns import Turn
from livebot.stt.engine import Word
from livebot.transcripts.model import Utterance


def assign(utterances: Sequence[Utterance], turns: Sequence[Turn]) -> tuple[Utterance, ...]:
    """Say who speaks, and part utterances where the speaker changes.

    A word is whose turns it overlaps most, or whose turn is nearest. A single word amid
    another's stays his only if that one is silent meanwhile: recognisers and turns disagree by a
    tenth of a second about where a word ends. No word is lost, moved or changed.

    Args:
        utterances: Ordered by start.
        turns: In any order. Without any, the utterances are returned as they are.

    Returns:
        Speakers are named `SPEAKER_1`, `SPEAKER_2`, ... in the order in which they first speak.
    """
    if not turns:
        return tuple(utterances)
    people = _people(turns)
    parts: list[tuple[int, Utterance]] = []
    now = 0.0
    for utterance in utterances:
        spoken, now = _spoken(utterance.words, now)
        speakers = _smooth(spoken, [_speaker(each, people) for each in spoken], people)
        parts += _parted(utterance, spoken, speakers)
    names: dict[int, str] = {}
    for speaker, _ in parts:
        names.setdefault(speaker, f"SPEAKER_{len(names) + 1}")
    return tuple(replace(part, speaker=names[speaker]) for speaker, part in parts)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A word and what is joined to it: nobody changes in the middle of it.

    Attributes:
        words: At least one.
        start: In seconds; where nobody knows, when the word before it ends.
        end: Never before `start`.
    """

    words: tuple[Word, ...]
    start: float
    end: float


class _Person:
    """One speaker's turns.

    Args:
        turns: In any order; at least one.
    """

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []
        for turn in sorted(turns, key=lambda turn: turn.start):
            if self._ends and turn.start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], turn.end)
            else:
                self._starts.append(turn.start)
                self._ends.append(turn.end)

    def overlap(self, start: float, end: float) -> float:
        """Return for how long he speaks in a stretch, in seconds."""
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_right(self._starts, end)
        stretches = zip(self._starts[first:last], self._ends[first:last], strict=True)
        return sum(max(0.0, min(end, e) - max(start, s)) for s, e in stretches)

    def distance(self, start: float, end: float) -> float:
        """Return how far his nearest turn is from a stretch, in seconds."""
        after = bisect_right(self._starts, start)
        around = range(max(0, after - 1), min(after + 1, len(self._starts)))
        return min(max(0.0, self._starts[i] - end, start - self._ends[i]) for i in around)


def _people(turns: Sequence[Turn]) -> dict[int, _Person]:
    ordered = sorted(turns, key=lambda turn: (turn.speaker, turn.start))
    groups = groupby(ordered, key=lambda turn: turn.speaker)
    return {speaker: _Person(own) for speaker, own in groups}


def _spoken(words: Sequence[Word], now: float) -> tuple[list[_Spoken], float]:
    """Return what is said in one breath, with times, and when the last of it ends."""
    spoken: list[_Spoken] = []
    for word in words:
        start = now if word.start is None else word.start
        now = max(start, start if word.end is None else word.end)
        if word.joined and spoken:
            last = spoken[-1]
            spoken[-1] = _Spoken((*last.words, word), last.start, max(last.end, now))
        else:
            spoken.append(_Spoken((word,), start, now))
    return spoken, now


def _speaker(spoken: _Spoken, people: dict[int, _Person]) -> int:
    """Return who speaks most meanwhile, or nearest; of two the one with the lower number."""
    start, end = spoken.start, spoken.end

    def rank(speaker: int) -> tuple[float, float, int]:
        person = people[speaker]
        return -person.overlap(start, end), person.distance(start, end), speaker

    return min(people, key=rank)


def _smooth(
    spoken: Sequence[_Spoken], speakers: Sequence[int], people: dict[int, _Person]
) -> list[int]:
    """Return the speakers without single words that somebody else may have said."""
    smooth = list(speakers)
    for at, word in enumerate(spoken):
        around = {smooth[i] for i in (at - 1, at + 1) if 0 <= i < len(smooth)}
        if len(around) != 1 or smooth[at] in around:
            continue
        (other,) = around
        is_his = people[smooth[at]].overlap(word.start, word.end) > (word.end - word.start) / 2
        if not is_his or people[other].overlap(word.start, word.end) > 0:
            smooth[at] = other
    return smooth


def _parted(
    utterance: Utterance, spoken: Sequence[_Spoken], speakers: Sequence[int]
) -> list[tuple[int, Utterance]]:
    pairs = zip(speakers, spoken, strict=True)
    return [
        (speaker, replace(utterance, words=tuple(word for _, each in run for word in each.words)))
        for speaker, run in groupby(pairs, key=lambda pair: pair[0])
    ]
