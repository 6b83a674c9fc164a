"""Transcripts for people: plain text and Markdown (pure)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from livebot.transcripts.clock import short, stamp
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from livebot.transcripts.spoken import SpokenWord, spoken_words

_PARAGRAPH = 600
"""Characters after which an utterance ends a paragraph."""

_SILENCE_S = 3.0
"""So long a pause begins a new one."""

_MARKUP = re.compile(r"[\\`*\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_])")
"""An underscore means something at the edge of a word only."""


def txt(transcript: Transcript, *, words: bool) -> str:
    """Write plain text: a line per utterance, each with its speaker if known.

    Args:
        transcript: What was said.
        words: Whether each word is a line of its own, with its times.
    """
    if words:
        lines = [_timed(word) for word in spoken_words(transcript)]
    else:
        lines = [_named(each.speaker, clean(each.text)) for each in transcript.utterances]
    return "".join(f"{line}\n" for line in lines)


def md(transcript: Transcript, *, words: bool) -> str:
    """Write Markdown: a heading, what is known of the recording, and paragraphs.

    Args:
        transcript: What was said.
        words: Whether there is a table of all words in place of paragraphs.
    """
    blocks = [f"# {_escaped(transcript.source) or 'Transcript'}", _facts(transcript)]
    blocks += [_table(transcript)] if words else map(str, _paragraphs(transcript.utterances))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _named(speaker: str, text: str) -> str:
    return f"{clean(speaker)}: {text}" if speaker else text


def _timed(word: SpokenWord) -> str:
    start, end = (stamp(at, decimal=".") for at in (word.start_ms, word.end_ms))
    return f"[{start} --> {end}] {_named(word.speaker, word.text)}"


@dataclass(slots=True)
class _Paragraph:
    """Utterances of one speaker with short pauses between them."""

    start: float
    end: float
    speaker: str
    text: str

    def continues(self, utterance: Utterance) -> bool:
        """Return whether the utterance belongs to it."""
        return (
            self.speaker == utterance.speaker
            and len(self.text) < _PARAGRAPH
            and utterance.start - self.end < _SILENCE_S
        )

    def __str__(self) -> str:
        head = f"[{short(self.start)}]" + (f" {_escaped(self.speaker)}:" if self.speaker else "")
        return f"**{head}** {_escaped(self.text)}"


def _paragraphs(utterances: Iterable[Utterance]) -> Iterator[_Paragraph]:
    last: _Paragraph | None = None
    for each in utterances:
        if last is not None and last.continues(each):
            last.text += f" {each.text}"
            last.end = each.end
            continue
        if last is not None:
            yield last
        last = _Paragraph(each.start, each.end, each.speaker, each.text)
    if last is not None:
        yield last


def _facts(transcript: Transcript) -> str:
    """Return what is known of the recording, on one line."""
    language, odds = transcript.language, transcript.language_probability
    if language and odds is not None:
        language += f" ({odds:.0%})"
    facts = [short(transcript.duration), language, transcript.model, *transcript.speakers]
    return " · ".join(_escaped(fact) for fact in facts if fact)


def _table(transcript: Transcript) -> str:
    rows = [
        f"| {stamp(word.start_ms, decimal='.')} | {stamp(word.end_ms, decimal='.')} "
        f"| {_escaped(word.speaker)} | {_escaped(word.text)} |"
        for word in spoken_words(transcript)
    ]
    return "\n".join(["| start | end | speaker | word |", "|---|---|---|---|", *rows])


def _escaped(text: str) -> str:
    """Return the text on one line, so that no character of it is markup."""
    return _MARKUP.sub(r"\\\g<0>", clean(text))
