"""The forms that transcripts are given out in (pure)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from livebot.transcripts.model import Transcript
from livebot.transcripts.subtitles import srt, vtt
from livebot.transcripts.tables import json, tsv
from livebot.transcripts.texts import md, txt


class _Writer(Protocol):
    def __call__(self, transcript: Transcript, *, words: bool) -> str: ...


FORMATS: Final[Mapping[str, _Writer]] = MappingProxyType(
    {"txt": txt, "srt": srt, "vtt": vtt, "json": json, "md": md, "tsv": tsv}
)
"""Every form by its name, which is also the end of its files' names."""


def write(transcript: Transcript, form: str, *, words: bool = False) -> str:
    """Write a transcript as text.

    Args:
        transcript: What was said.
        form: One of `FORMATS`.
        words: Whether the times of all words are to be in it.
    """
    return FORMATS[form](transcript, words=words)
