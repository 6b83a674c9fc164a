"""Bodies of what is kept: values in, JSON out (pure). Times `_at` are seconds since 1970."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from livebot.feeds.events import EventWord
from livebot.store.records import (
    Page,
    Share,
    StoredGap,
    StoredTranscript,
    StoredUtterance,
    TranscriptHead,
)


class Head(Struct, frozen=True):
    """A transcript without its words; `text` is an utterance that was searched for."""

    id: str
    kind: str
    title: str
    language: str
    model: str
    started_at: float
    ended_at: float | None
    duration: float
    audio: bool
    backend: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class Heads(Struct, frozen=True):
    """Some transcripts, newest first; ask with `cursor` for the next ones, if it is not empty."""

    transcripts: list[Head]
    cursor: str


class Utterance(Struct, frozen=True):
    """What somebody said between two pauses; who that is told to those only who have a key."""

    text: str
    start: float
    end: float
    speaker: str
    language: str
    person: str | UnsetType = UNSET
    words: tuple[EventWord, ...] | UnsetType = UNSET


class TranscriptGap(Struct, frozen=True):
    """Where words are missing."""

    cause: str
    start: float
    end: float | None
    lost_s: float
    speaker: str


class Transcript(Struct, frozen=True):
    """A transcript with all of it, by start."""

    transcript: Head
    utterances: list[Utterance]
    gaps: list[TranscriptGap]


class Erased(Struct, frozen=True):
    """What was erased: so many transcripts, or so many utterances of a person."""

    transcripts: int | UnsetType = UNSET
    utterances: int | UnsetType = UNSET


class Sound(Struct, frozen=True):
    """A piece of audio; times on the transcript's time line."""

    number: int
    start: float
    end: float
    person: str


class Sounds(Struct, frozen=True):
    """The audio of a transcript, by start."""

    audio: list[Sound]


class Link(Struct, frozen=True):
    """A link that lets anybody who has it read; `token` is told once, when it is made."""

    id: str
    kind: str
    target: str
    expires_at: float
    token: str | UnsetType = UNSET


class Links(Struct, frozen=True):
    """Links that have not expired."""

    shares: list[Link]


def heads(page: Page) -> Heads:
    """Return a page of transcripts."""
    texts: Sequence[str] = page.texts or [""] * len(page.items)
    found = zip(page.items, texts, strict=True)
    return Heads([head(item, text=text) for item, text in found], page.cursor)


def head(kept: TranscriptHead, *, text: str = "") -> Head:
    """Return a transcript without its words."""
    return Head(
        id=kept.id,
        kind=kept.kind.value,
        title=kept.title,
        language=kept.language,
        model=kept.model,
        started_at=round(kept.started_at, 3),
        ended_at=None if kept.ended_at is None else round(kept.ended_at, 3),
        duration=round(kept.duration, 3),
        audio=kept.audio,
        backend=kept.backend or UNSET,
        room=kept.room or UNSET,
        text=text or UNSET,
    )


def transcript(kept: StoredTranscript, *, words: bool, people: bool) -> Transcript:
    """Return a whole transcript.

    Args:
        kept: It.
        words: Whether with the words of each utterance.
        people: Whether with the accounts of those who spoke.
    """
    return Transcript(
        transcript=head(kept.head),
        utterances=[_utterance(each, words=words, people=people) for each in kept.utterances],
        gaps=[_gap(each) for each in kept.gaps],
    )


def _utterance(kept: StoredUtterance, *, words: bool, people: bool) -> Utterance:
    return Utterance(
        text=kept.text,
        start=kept.start,
        end=kept.end,
        speaker=kept.speaker,
        language=kept.language,
        person=kept.person if people else UNSET,
        words=kept.words if words else UNSET,
    )


def _gap(kept: StoredGap) -> TranscriptGap:
    return TranscriptGap(kept.cause, kept.start, kept.end, kept.lost_s, kept.speaker)


def link(share: Share, *, token: str = "") -> Link:
    """Return a link, with its token where it was just made."""
    return Link(
        share.id, share.kind, share.target, round(share.expires_at, 3), token=token or UNSET
    )
