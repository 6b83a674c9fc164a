"""Subtitle files: SubRip and WebVTT (pure).

SubRip has no standard and no escapes: what players would take for a tag or an arrow gets an
invisible character (U+2060, word joiner) into it, and looks as it should.
WebVTT: https://www.w3.org/TR/webvtt1/
"""

import html
import re

from livebot.transcripts.clock import stamp
from livebot.transcripts.cues import Cue, cues, text_of
from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean

_MISTAKABLE = re.compile(r"(?<=--)(?=>)|(?<=[<{])(?=[\w/\\!])")
"""Within `-->`, and behind what begins a tag, like `<i>` or `{\\an8}`."""

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
    name = f"{clean(cue.speaker)}: " if cue.speaker else ""
    text = name + "\n".join(text_of(line) for line in cue.lines)
    return f"{number}\n{_span(cue, ',')}\n{_MISTAKABLE.sub(_JOINER, text)}\n"


def _vtt_cue(cue: Cue, *, words: bool) -> str:
    text = _timed(cue) if words else "\n".join(_escaped(text_of(line)) for line in cue.lines)
    name = f"<v {_escaped(clean(cue.speaker))}>" if cue.speaker else ""
    return f"{_span(cue, '.')}\n{name}{text}\n"


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
