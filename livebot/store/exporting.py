"""What is kept becomes a transcript that can be given out (pure)."""

from collections.abc import Iterator
from dataclasses import replace

from livebot.store.records import StoredTranscript, StoredUtterance
from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance


def transcript_of(stored: StoredTranscript) -> Transcript:
    """Return what `transcripts.export.write` takes; its text is the stored one."""
    head = stored.head
    kept = sorted((each for each in stored.utterances if each.words), key=lambda each: each.start)
    return Transcript(
        utterances=tuple(_utterance(each, head.language) for each in kept),
        duration=head.duration or max((each.end for each in kept), default=0.0),
        language=head.language,
        language_probability=head.language_probability,
        model=head.model,
        source=head.title,
        speakers=tuple(dict.fromkeys(each.speaker for each in kept if each.speaker)),
    )


def _utterance(kept: StoredUtterance, language: str) -> Utterance:
    words = list(_words(kept))
    # What nobody timed begins and ends with what it is part of.
    if words[0].start is None:
        words[0] = replace(words[0], start=kept.start)
    if words[-1].end is None:
        words[-1] = replace(words[-1], end=max(kept.end, words[-1].start or 0.0))
    return Utterance(tuple(words), kept.speaker, kept.language or language)


def _words(kept: StoredUtterance) -> Iterator[Word]:
    """Yield the words, joined where the text has no space: not all scripts have any."""
    at = 0
    for number, word in enumerate(kept.words):
        begin = kept.text.find(word.text, at)
        joined = word.joined if begin < 0 else begin == at
        at = at if begin < 0 else begin + len(word.text)
        yield Word(word.text, word.start, word.end, joined and number > 0)
