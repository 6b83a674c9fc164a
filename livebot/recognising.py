"""From a recording to a transcript: what is said, and by whom."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from livebot.stt.diarize.turns import Turn
from livebot.stt.host.messages import Progress
from livebot.stt.host.reading import OnUtterance, Recognition
from livebot.transcripts.model import Transcript
from livebot.transcripts.of import transcript

OnProgress = Callable[[float, float], None]
"""Told the seconds that have been heard, and how many there are; 0 where nobody knows."""

FindTurns = Callable[[Path, Callable[[float], None]], Coroutine[None, None, list[Turn]]]
"""Says who speaks when; told is how many seconds have been heard."""


class FileHost(Protocol):
    """Who recognises files: an `EngineHost`; see there."""

    async def recognise(
        self,
        path: Path,
        *,
        language: str = "",
        model: str = "",
        translate: bool = False,
        on_progress: Callable[[Progress], None],
        on_utterance: OnUtterance = ...,
    ) -> Recognition:
        """Recognise a file."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Makes transcripts.

    Attributes:
        host: Which runs, and does as many at once as it has workers.
        language: Of all recordings, or `auto`; empty for the host's own.
        translate: Whether to write down in English what is said.
        find_turns: None where nobody wants to know who speaks.
        model: A name of `livebot.stt.models`; empty for the host's own.
        on_utterance: Told each utterance once it is whole, before anybody knows who said it.
    """

    host: FileHost
    language: str
    find_turns: FindTurns | None = None
    translate: bool = False
    model: str = ""
    on_utterance: OnUtterance = lambda _: None

    async def __call__(self, path: Path, source: str, on_progress: OnProgress) -> Transcript:
        """Make one; words and speakers are found at the same time.

        Raises:
            RecordingError: It cannot be read.
            EngineError: It cannot be recognised.
        """
        both = _Both(on_progress, speakers=self.find_turns is not None)
        heard = self.host.recognise(
            path,
            language=self.language,
            model=self.model,
            translate=self.translate,
            on_progress=both.words,
            on_utterance=self.on_utterance,
        )
        if self.find_turns is None:
            return transcript(await heard, source)
        words = asyncio.create_task(heard, name="words")
        speakers = asyncio.create_task(self.find_turns(path, both.speakers), name="turns")
        try:
            # What is wrong with the file is said by whoever reads its words, if at all.
            return transcript(await words, source, await speakers)
        finally:
            for task in (words, speakers):
                task.cancel()
            await asyncio.gather(words, speakers, return_exceptions=True)


class _Both:
    """Progress of two who listen to the same recording: that of the slower one.

    Args:
        on_progress: Told.
        speakers: Whether there is a second one.
    """

    def __init__(self, on_progress: OnProgress, *, speakers: bool) -> None:
        self._on_progress = on_progress
        self._words_s = 0.0
        self._speakers_s = 0.0 if speakers else float("inf")
        self._total_s = 0.0

    def words(self, progress: Progress) -> None:
        """Take in how far the words are."""
        self._words_s, self._total_s = progress.heard_s, progress.total_s
        self._tell()

    def speakers(self, heard_s: float) -> None:
        """Take in how far the speakers are."""
        self._speakers_s = heard_s
        self._tell()

    def _tell(self) -> None:
        self._on_progress(min(self._words_s, self._speakers_s), self._total_s)
