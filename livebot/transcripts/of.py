"""What was recognised becomes a transcript (pure)."""

from collections.abc import Sequence
from typing import Protocol

from livebot.stt.diarize.turns import Turn
from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.speakers import assign


class Recognised(Protocol):
    """What the engine host says of a file: its `Recognition`."""

    @property
    def utterances(self) -> tuple[tuple[Word, ...], ...]:
        """Return the words between two pauses."""

    @property
    def duration_s(self) -> float:
        """Return how long the file is."""

    @property
    def language(self) -> str:
        """Return the code of its language."""

    @property
    def probability(self) -> float | None:
        """Return how sure that is; None where it was given."""

    @property
    def model(self) -> str:
        """Return what recognised it."""


def transcript(recognised: Recognised, source: str, turns: Sequence[Turn] = ()) -> Transcript:
    """Make a transcript.

    Args:
        recognised: What was understood.
        source: The file's name, or what was given as such.
        turns: Who speaks when, where that was asked.
    """
    utterances = tuple(
        Utterance(words, language=recognised.language) for words in recognised.utterances if words
    )
    if turns:
        utterances = assign(utterances, turns)
    return Transcript(
        utterances=utterances,
        duration=recognised.duration_s,
        language=recognised.language,
        language_probability=recognised.probability,
        model=recognised.model,
        source=source,
        speakers=tuple(dict.fromkeys(each.speaker for each in utterances if each.speaker)),
    )
