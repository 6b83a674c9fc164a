"""Transcripts for programs: JSON and tab-separated values (pure)."""

from typing import Any

import msgspec

from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from livebot.transcripts.spoken import words_of


def as_json(transcript: Transcript, *, words: bool) -> dict[str, Any]:
    """Return what the JSON form holds; times in seconds.

    Args:
        transcript: What was said.
        words: Whether each segment has its words.
    """
    return {
        "text": transcript.text,
        "language": transcript.language,
        "language_probability": transcript.language_probability,
        "duration": round(transcript.duration, 3),
        "model": transcript.model,
        "source": transcript.source,
        "speakers": list(transcript.speakers),
        "segments": [_segment(each, words=words) for each in transcript.utterances],
    }


def json(transcript: Transcript, *, words: bool) -> str:
    """Write JSON, indented."""
    text = msgspec.json.encode(as_json(transcript, words=words))
    return msgspec.json.format(text, indent=2).decode() + "\n"


def tsv(transcript: Transcript, *, words: bool) -> str:
    """Write a table: start and end in milliseconds, speaker and text, with a line of names.

    Args:
        transcript: What was said.
        words: Whether each word is a row, and not each utterance.
    """
    rows = ["start\tend\tspeaker\ttext"]
    for each in transcript.utterances:
        found = list(words_of(each))
        if words:
            cells = [(word.start_ms, word.end_ms, word.text) for word in found]
        else:
            cells = [(found[0].start_ms, found[-1].end_ms, clean(each.text))]
        speaker = clean(each.speaker)
        rows += [f"{start}\t{end}\t{speaker}\t{text}" for start, end, text in cells]
    return "\n".join(rows) + "\n"


def _segment(utterance: Utterance, *, words: bool) -> dict[str, Any]:
    spoken = list(words_of(utterance))
    segment = {
        "start": spoken[0].start_ms / 1000,
        "end": spoken[-1].end_ms / 1000,
        "speaker": utterance.speaker,
        "language": utterance.language,
        "text": utterance.text,
    }
    if words:
        segment["words"] = [
            {
                "text": word.text,
                "start": word.start_ms / 1000,
                "end": word.end_ms / 1000,
                "joined": word.joined,
            }
            for word in spoken
        ]
    return segment
