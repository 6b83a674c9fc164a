"""Subtitle files: SubRip and WebVTT (pure).

SubRip has no standard and no escapes: what players would take for a tag, an arrow, a cue's number
or its times gets an invisible character (U+2060, word joiner) into it, and looks as it should.
WebVTT: https://www.w3.org/TR/webvtt1/
"""

import html
import re

from livebot.transcripts.clock import stamp
from livebot.transcripts.cues import Cue, cues, text_of
from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean

_MISTAKABLE = re.compile(r"(?<=--)(?=>)|(?<=[<{])(?=[\w/\\!])|(?<=\n)(?=\d+$)")
"""Within `-->`, behind what begins a tag, like `<i>` or `{\\an8}`, and before a number alone."""

_TIME = re.compile(r"(:\d\d?)([.,]\d)")
"""Several on a line are taken for a cue's by some, whatever is between them."""

_JOINER = "\u2060"


def srt(transcript: Transcript, *, words: bool) -> str:
    """Write SubRip; each cue begins with its speaker, if known.

    Args:
        transcript: What was said.
        words: Whether each word is a cue of its own.
    """
    found = cues(transcript, words=words, named=True)
    return "\n".join(_srt_cue(number, cue) for number, cue in enumerate(found, 1))


def vtt(transcript: Transcript, *, words: bool) -> str:
    """Write WebVTT, with its speakers as voices.

    Args:
        transcript: What was said.
        words: Whether each word carries its time, as in karaoke.
    """
    return "\n".join(["WEBVTT\n", *(_vtt_cue(cue, words=words) for cue in cues(transcript))])


def _srt_cue(number: int, cue: Cue) -> str:
    speaker = clean(cue.speaker)
    name = f"{speaker}: " if speaker else ""
    text = _MISTAKABLE.sub(_JOINER, name + "\n".join(text_of(line) for line in cue.lines))
    return f"{number}\n{_span(cue, ',')}\n{_without_times(text)}\n"


def _vtt_cue(cue: Cue, *, words: bool) -> str:
    speaker = clean(cue.speaker)
    name = f"<v {_escaped(speaker)}>" if speaker else ""
    text = _without_times(name + "\n".join(_escaped(text_of(line)) for line in cue.lines))
    return f"{_span(cue, '.')}\n{name + _timed(cue) if words else text}\n"


def _without_times(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        _TIME.sub(rf"\1{_JOINER}\2", line) if len(_TIME.findall(line)) > 1 else line
        for line in lines
    )


def _timed(cue: Cue) -> str:
    """Return the lines with the time before each word, but those that begin with the cue."""
    now = cue.start_ms
    lines = []
    for line in cue.lines:
        text = ""
        for number, piece in enumerate(line):
            at = round(piece.start * 1000)
            if now < at < cue.end_ms:
                now = at
                mark = f"<{stamp(at, decimal='.')}>"
            else:
                mark = ""
            text += (" " if piece.spaced and number else "") + mark + _escaped(piece.text)
        lines.append(text)
    return "\n".join(lines)


def _span(cue: Cue, decimal: str) -> str:
    start, end = (stamp(at, decimal=decimal) for at in (cue.start_ms, cue.end_ms))
    return f"{start} --> {end}"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
