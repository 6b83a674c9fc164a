"""A store of transcripts and audio in memory, which fails and waits when a test says so."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from livebot.errors import StoreError
from livebot.store.records import StoredGap, StoredUtterance, TranscriptHead


@dataclass
class ScriptedTranscripts:
    """What was begun, added and ended."""

    heads: dict[str, TranscriptHead] = field(default_factory=dict)
    said: dict[str, list[StoredUtterance]] = field(default_factory=dict)
    missing: dict[str, list[StoredGap]] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    faults: int = 0
    is_away: bool = False
    takes_s: float = 0.0
    batches: list[int] = field(default_factory=list)

    async def begin(self, head: TranscriptHead) -> None:
        """Begin one."""
        await self._work()
        self.heads.setdefault(head.id, head)

    async def add(
        self,
        transcript: str,
        utterances: Sequence[StoredUtterance] = (),
        gaps: Sequence[StoredGap] = (),
    ) -> None:
        """Add to one that was begun."""
        await self._work()
        assert transcript in self.heads, "added before it was begun"
        self.batches.append(len(utterances))
        self.said.setdefault(transcript, []).extend(utterances)
        self.missing.setdefault(transcript, []).extend(gaps)

    async def end(
        self, transcript: str, *, ended_at: float, duration: float, language: str = ""
    ) -> None:
        """End one."""
        del ended_at, language
        await self._work()
        assert transcript in self.heads, "ended before it was begun"
        self.ended[transcript] = duration

    @property
    def texts(self) -> list[str]:
        """Return all that was said, transcript after transcript."""
        return [each.text for its in self.said.values() for each in its]

    async def _work(self) -> None:
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if self.is_away or self.faults:
            self.faults = max(0, self.faults - 1)
            raise StoreError("the database is away, says the test")


@dataclass
class ScriptedAudio:
    """What was noted."""

    folder: Path
    index: list[tuple[str, str, float, float, str]] = field(default_factory=list)
    faults: int = 0
    tried: int = 0

    async def add(
        self, transcript: str, *, person: str, start: float, end: float, name: str
    ) -> None:
        """Note a file."""
        self.tried += 1
        await asyncio.sleep(0)
        if self.faults:
            self.faults -= 1
            raise StoreError("the database is away, says the test")
        self.index.append((transcript, person, start, end, name))


@dataclass
class ScriptedStore:
    """Both of them."""

    audio: ScriptedAudio
    transcripts: ScriptedTranscripts = field(default_factory=ScriptedTranscripts)
