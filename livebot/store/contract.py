"""What the store does, by subject; `store.Store` is the real one. All of it may be slow.

Everything raises `StoreError` where the database cannot be reached or is full.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from livebot.feeds.events import Numbered
from livebot.store.records import (
    Job,
    JobState,
    LiveRecord,
    Page,
    Scope,
    Share,
    StoredGap,
    StoredTranscript,
    StoredUtterance,
    TranscriptHead,
)


class Transcripts(Protocol):
    """Transcripts of calls, live sessions and jobs."""

    async def begin(self, head: TranscriptHead) -> None:
        """Begin one; nothing changes where there is one of this id."""

    async def add(
        self,
        transcript: str,
        utterances: Sequence[StoredUtterance] = (),
        gaps: Sequence[StoredGap] = (),
    ) -> None:
        """Add to one, all or nothing; ignored where it was erased meanwhile."""

    async def end(
        self, transcript: str, *, ended_at: float, duration: float, language: str = ""
    ) -> None:
        """Say that nothing more comes."""

    async def complete(self, transcript: StoredTranscript) -> None:
        """Keep a whole one at once, in place of whatever has its id."""

    async def get(self, transcript: str, scope: Scope) -> StoredTranscript:
        """Return one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """

    async def find(
        self,
        scope: Scope,
        *,
        query: str = "",
        kind: str = "",
        room: str = "",
        person: str = "",
        limit: int = 50,
        cursor: str = "",
    ) -> Page:
        """Return heads, newest first.

        With a query (any case) those whose words or title match, and in `texts` a matching
        utterance of each.

        Raises:
            RequestError: The cursor is none of ours.
        """

    async def erase(self, transcript: str, scope: Scope) -> None:
        """Erase one with its audio; no byte of it stays in the database's file.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """

    async def erase_room(self, room: str, scope: Scope) -> int:
        """Erase all of a room; return how many."""

    async def erase_person(self, person: str, scope: Scope) -> int:
        """Erase what somebody said, everywhere in scope, with the audio.

        Returns:
            How many utterances that were.
        """

    async def expire(self, before: float) -> int:
        """Erase what ended before a time; return how many.

        Those that never ended count from their last utterance.
        """


class Audio(Protocol):
    """Audio of transcripts, in files with an index in the database."""

    async def add(
        self, transcript: str, *, person: str, start: float, end: float, name: str
    ) -> None:
        """Note a file of the audio folder.

        Ignored, and the file removed, where the transcript was erased or may have no audio.
        """

    async def of(self, transcript: str) -> Sequence[tuple[str, float, float, Path]]:
        """Return person, start, end and file of each chunk, by start."""

    @property
    def folder(self) -> Path:
        """Where files go."""


class Jobs(Protocol):
    """File jobs. Several processes may share them: each job is done by one."""

    async def add(self, job: Job) -> None:
        """Add one that is queued."""

    async def get(self, job: str, scope: Scope) -> Job:
        """Return one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """

    async def list(self, scope: Scope, *, limit: int = 100, state: str = "") -> Sequence[Job]:
        """Return them, newest first, without ephemeral ones."""

    async def count_waiting(self, owner: str | None = None) -> int:
        """Return how many are queued."""

    async def claim(self, worker: str, *, lease_s: float) -> Job | None:
        """Take the oldest that is queued, or whose worker's lease ran out.

        It is `processing` then, with one attempt more. Two processes never get the same one.
        """

    async def renew(
        self, job: str, worker: str, *, lease_s: float, heard_s: float, total_s: float
    ) -> bool:
        """Keep a job, and note its progress.

        Returns:
            False where it is no longer ours: it was canceled, erased, or taken by another.
        """

    async def finish(
        self,
        job: str,
        worker: str,
        state: JobState,
        *,
        error: str = "",
        transcript: StoredTranscript | None = None,
    ) -> bool:
        """End a job, its transcript in the same transaction.

        Its path is empty then; the worker, who knows it, removes the file or has moved it.

        Returns:
            False where it is no longer ours: then nothing was kept.
        """

    async def give_back(self, job: str, worker: str) -> None:
        """Let somebody else do it: we are about to stop. That was no attempt."""

    async def cancel(self, job: str, scope: Scope) -> Job:
        """Cancel one that is not over, and remove its file; return it as it is then.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """

    async def erase(self, job: str, scope: Scope) -> None:
        """Erase one with its transcript and its file.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """

    async def untold(self) -> Sequence[Job]:
        """Return those that are over and whose webhook is still to be told."""

    async def told(self, job: str) -> None:
        """Note that the webhook was told, or that we gave up."""

    async def expire(self, before: float) -> int:
        """Erase those that were over before a time."""

    async def paths(self) -> frozenset[str]:
        """Return the files that jobs still need; others in the upload folder are left-overs."""


class Shares(Protocol):
    """Links to read along."""

    async def add(self, share: Share, token: str) -> None:
        """Add one; of the token only a digest is kept."""

    async def find(self, token: str, now: float) -> Share | None:
        """Return what a token opens; None where it is nobody's or has expired."""

    async def list(self, scope: Scope) -> Sequence[Share]:
        """Return those that have not expired."""

    async def withdraw(self, share: str, scope: Scope) -> None:
        """End one.

        Raises:
            NotFoundError: There is none that the scope lets see.
        """


class Live(Protocol):
    """Live sessions and their newest events, for clients that come back.

    Also the journal of their feeds.
    """

    async def open(self, record: LiveRecord) -> None:
        """Remember a session, also one that was remembered and goes on."""

    async def get(self, session: str) -> LiveRecord | None:
        """Return one."""

    async def events(self, session: str) -> Sequence[Numbered]:
        """Return its newest events, in order, without a gap."""

    def put(self, feed: str, numbered: Numbered, done: Callable[[int], None]) -> None:
        """Keep an event; see `feeds.feed.Journal`.

        Those of all feeds that wait are kept in one transaction; where the database fails, they
        are counted and let through.
        """

    async def close(self, session: str) -> None:
        """Note that it ended in order; its events stay for a while, for a client that asks."""

    async def forget(self, session: str) -> None:
        """Erase it and its events; no byte stays."""

    async def blank(self, session: str, upto: int) -> None:
        """Erase its events up to a number, which are kept already; no byte stays."""

    async def expire(self, before: float) -> int:
        """Erase those of which nothing was noted since a time."""


class Store(Protocol):
    """All of it; to be entered, which migrates the database."""

    @property
    def transcripts(self) -> Transcripts:
        """Transcripts."""

    @property
    def audio(self) -> Audio:
        """Their audio."""

    @property
    def jobs(self) -> Jobs:
        """File jobs."""

    @property
    def shares(self) -> Shares:
        """Links."""

    @property
    def live(self) -> Live:
        """Live sessions."""

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""
