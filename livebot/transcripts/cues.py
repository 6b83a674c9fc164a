"""Subtitles: what was said, cut into what people can read while they listen (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from livebot.transcripts.cutting import LINE, SHORTEST_S, Cutter, Lines
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import Piece, pieces, width

_LEAST_LINE = 20
"""Columns that a line has at least, however long the speaker's name is."""

_LEAST_MS = round(SHORTEST_S * 1000)
"""What is shown for less is made to last so long, where nothing else is said by then."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at a time.

    Attributes:
        start_ms: When it appears; later than the cue before.
        end_ms: When it disappears; later than it appears.
        lines: One or two.
        speaker: Who says it; may be empty.
    """

    start_ms: int
    end_ms: int
    lines: tuple[tuple[Piece, ...], ...]
    speaker: str = ""


def cues(transcript: Transcript, *, words: bool = False, named: bool = False) -> list[Cue]:
    """Cut everything that was said, ordered by when it begins.

    Cues overlap only where people spoke at the same time.

    Args:
        transcript: What was said.
        words: Whether each word is a cue of its own.
        named: Whether the speaker's name and a colon are to be on the first line as well.
    """
    found: list[Cue] = []
    for utterance in transcript.utterances:
        language = utterance.language or transcript.language
        first = _first_line(utterance, named=named)
        parts = pieces(utterance.words, language, most=first)
        cut: list[Lines] = [[[part]] for part in parts] if words else Cutter(parts, first).cues()
        found += [_cue(lines, utterance.speaker) for lines in cut]
    return _in_time(found)


def text_of(line: Sequence[Piece]) -> str:
    """Return a line as it is shown."""
    return "".join(
        f" {piece.text}" if piece.spaced and number else piece.text
        for number, piece in enumerate(line)
    )


def _first_line(utterance: Utterance, *, named: bool) -> int:
    """Return the columns that a cue's first line has for words."""
    name = width(f"{utterance.speaker}: ") if named and utterance.speaker else 0
    return max(_LEAST_LINE, LINE - name)


def _cue(lines: Lines, speaker: str) -> Cue:
    start, end = lines[0][0].start, lines[-1][-1].end
    return Cue(round(start * 1000), round(end * 1000), tuple(map(tuple, lines)), speaker)


def _in_time(found: Sequence[Cue]) -> list[Cue]:
    """Return the cues in order, each with a beginning of its own, and for long enough."""
    ordered: list[Cue] = []
    for cue in sorted(found, key=lambda cue: cue.start_ms):
        earliest = ordered[-1].start_ms + 1 if ordered else 0
        ordered.append(replace(cue, start_ms=max(cue.start_ms, earliest)))
    # Of one speaker nothing is shown twice; others may speak meanwhile.
    following: dict[str, int] = {}
    next_ms: int | None = None
    for number in range(len(ordered) - 1, -1, -1):
        cue = ordered[number]
        long_enough = cue.start_ms + _LEAST_MS
        end = max(cue.end_ms, long_enough if next_ms is None else min(long_enough, next_ms))
        end = max(cue.start_ms + 1, min(end, following.get(cue.speaker, end)))
        ordered[number] = replace(cue, end_ms=end)
        following[cue.speaker] = next_ms = cue.start_ms
    return ordered
