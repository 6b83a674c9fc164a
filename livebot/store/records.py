"""What is kept, as values (pure). Times `_at` are seconds since 1970, others as they say."""

from dataclasses import dataclass, field
from enum import StrEnum

from livebot.feeds.events import EventWord


class Kind(StrEnum):
    """Where a transcript comes from."""

    CALL = "call"
    LIVE = "live"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: its own jobs and live sessions, and the calls of its backend.

    Attributes:
        owner: The name of the caller's key; None for everybody's (the service itself).
        backend: The one backend whose calls are the caller's; None for all.
    """

    owner: str | None = None
    backend: str | None = None


EVERYTHING = Scope()
"""The service itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptHead:
    """What is known of a transcript besides its words.

    Attributes:
        id: 32 hexadecimal digits, not to be guessed.
        kind: Where it comes from.
        owner: The name of the key that asked for it.
        backend: Of a call: its Nextcloud's name; empty elsewhere.
        room: Of a call: its token; empty elsewhere.
        title: What people see: a file's name, a room's.
        language: Code; empty where nobody knows.
        model: What recognised it; empty where nobody knows.
        started_at: When it began.
        ended_at: When it ended; None while it goes on.
        duration: In seconds; 0 while it goes on.
        audio: Whether its audio may be kept: somebody agreed.
        language_probability: As in `transcripts.model.Transcript`.
    """

    id: str
    kind: Kind
    owner: str
    backend: str = ""
    room: str = ""
    title: str = ""
    language: str = ""
    model: str = ""
    started_at: float = 0.0
    ended_at: float | None = None
    duration: float = 0.0
    audio: bool = False
    language_probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUtterance:
    """An utterance.

    Attributes:
        words: At least one.
        text: The words with spaces where they belong.
        start: Seconds from the transcript's beginning, as `end`.
        speaker: The name that is shown; empty where nobody knows.
        person: Who that is: an account, or `guest:NAME`, or `SPEAKER_1`; by which it is erased.
        language: Code; empty where nobody knows.
    """

    text: str
    words: tuple[EventWord, ...]
    start: float
    end: float
    speaker: str = ""
    person: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGap:
    """Where words are missing; `end` None where nobody knows."""

    cause: str
    start: float
    end: float | None
    lost_s: float
    speaker: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class StoredTranscript:
    """A transcript with all of it; utterances and gaps ordered by start."""

    head: TranscriptHead
    utterances: tuple[StoredUtterance, ...]
    gaps: tuple[StoredGap, ...] = ()


class JobState(StrEnum):
    """Where a job is; `jobs/states.py` says what may follow what."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self in {JobState.COMPLETED, JobState.FAILED, JobState.CANCELED}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What is wanted of a job.

    Attributes:
        model: A name of `livebot.stt.models`; empty for the service's own.
        language: A code, or `auto`; empty for the service's own.
        diarize: Whether to tell speakers apart.
        speakers: How many there are; None where nobody knows.
        translate: Whether to write it down in English.
        keep_audio: Whether the file is kept with the transcript: the caller said that everybody
            agreed.
        webhook: Where to tell that it is over; empty for nowhere.
    """

    model: str = ""
    language: str = ""
    diarize: bool = False
    speakers: int | None = None
    translate: bool = False
    keep_audio: bool = False
    webhook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file on its way to a transcript.

    Attributes:
        id: 32 hexadecimal digits, not to be guessed. The transcript's is the same.
        owner: The name of the key that gave it.
        name: The file's, as its owner called it; shown, never opened.
        path: Where the service keeps the file; empty once it is gone.
        size: Bytes.
        state: Where it is.
        options: What is wanted.
        heard_s: Seconds of the recording that are recognised.
        total_s: Its length in seconds; 0 while nobody knows.
        attempts: How often it was begun.
        error: Why it failed: one sentence with its cure; empty otherwise.
        told: Whether the webhook has been told, or nobody is to be.
        ephemeral: Whether somebody waits for it, so that it ends and is erased with them.
    """

    id: str
    owner: str
    name: str
    path: str
    size: int
    options: JobOptions = field(default_factory=JobOptions)
    state: JobState = JobState.QUEUED
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    heard_s: float = 0.0
    total_s: float = 0.0
    attempts: int = 0
    error: str = ""
    told: bool = False
    ephemeral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A link that lets anybody who has it read along.

    Attributes:
        id: By which it is withdrawn.
        kind: `room`, `live` or `transcript`.
        target: `BACKEND/TOKEN` of a room, or the id.
        expires_at: When it ends.
        owner: The name of the key that made it.
    """

    id: str
    kind: str
    target: str
    expires_at: float
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRecord:
    """A live session, as it is remembered for a client that comes back.

    Attributes:
        id: 32 hexadecimal digits, not to be guessed.
        owner: The name of the key that opened it.
        epoch: When its time line began.
        options: What the client declared, as JSON.
        transcript: The id of its transcript; empty where none is kept.
        closed: Whether it ended in order.
        seen_at: When something of it was noted last.
    """

    id: str
    owner: str
    epoch: float
    options: str
    transcript: str = ""
    closed: bool = False
    seen_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many: `cursor` is what to ask for the next ones with; empty after the last."""

    items: tuple[TranscriptHead, ...]
    cursor: str = ""
    texts: tuple[str, ...] = ()
