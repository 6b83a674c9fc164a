"""All words in order with times in milliseconds, mended where they are missing (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass

from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of an utterance.

    Attributes:
        start_ms: When it begins; of one utterance never before the word before it ended.
        end_ms: When it ends; never before it begins.
        speaker: Who says it; may be empty.
        text: On one line, with its punctuation.
        joined: Whether no space belongs before it.
    """

    start_ms: int
    end_ms: int
    speaker: str
    text: str
    joined: bool


def spoken_words(transcript: Transcript) -> Iterator[SpokenWord]:
    """Yield all words, utterance by utterance."""
    for utterance in transcript.utterances:
        yield from words_of(utterance)


def words_of(utterance: Utterance) -> Iterator[SpokenWord]:
    """Yield the words of one utterance."""
    now = 0
    for word in utterance.words:
        start = max(now, round((word.start or 0.0) * 1000))
        now = max(start, round((word.end or 0.0) * 1000))
        yield SpokenWord(start, now, utterance.speaker, clean(word.text), word.joined)
