"""The native events (pure): what a reader is told of a call or of a live session.

One speaker's utterance is told as `interim` while it grows, each replacing the one before
of the same `utterance`, and once as `final`, which never changes. Where words are missing
there is a `gap`. Times are seconds on the session's time line; `epoch` of the snapshot says
where on the wall clock that begins.
"""

from typing import TypeAlias

from msgspec import Struct


class Speaker(Struct, frozen=True):
    """Who speaks: `id` tells people of one feed apart, `name` is shown; both may be empty."""

    id: str = ""
    name: str = ""


class EventWord(Struct, frozen=True, omit_defaults=True):
    """A word; `joined` where no space belongs before it. Times are None where nobody knows."""

    text: str
    start: float | None = None
    end: float | None = None
    joined: bool = False


class Interim(Struct, frozen=True, tag="interim", tag_field="type"):
    """What is understood of an utterance so far; the first `stable` characters stay."""

    utterance: str
    text: str
    speaker: Speaker = Speaker()
    language: str = ""
    start: float | None = None
    stable: int = 0


class Final(Struct, frozen=True, tag="final", tag_field="type"):
    """An utterance that is complete.

    `latency_ms` is from the end of its last word to this event; None where nobody knows.
    """

    utterance: str
    text: str
    words: tuple[EventWord, ...]
    speaker: Speaker = Speaker()
    language: str = ""
    start: float = 0.0
    end: float = 0.0
    latency_ms: int | None = None


class Gap(Struct, frozen=True, tag="gap", tag_field="type"):
    """Words may be missing from `start` to `end`; `end` is None while it goes on.

    Told again with the same `gap` when it is over.
    """

    gap: str
    cause: str
    start: float
    end: float | None
    lost_s: float
    speaker: Speaker = Speaker()


class Notice(Struct, frozen=True, tag="notice", tag_field="type"):
    """Something else that a reader should know: `code` for programs, `text` for people."""

    code: str
    text: str


Event: TypeAlias = Interim | Final | Gap | Notice


class Numbered(Struct, frozen=True):
    """An event at its place: `seq` counts from 1 without a gap; `at` is seconds since 1970."""

    seq: int
    at: float
    event: Event


class Snapshot(Struct, frozen=True, tag="snapshot", tag_field="type"):
    """All that there is up to `seq`: for whoever comes late, or was too slow.

    `first` is the number of the first utterance that is still here; what was before is only in
    the transcript, where one is kept.
    """

    seq: int
    epoch: float
    finals: tuple[Final, ...]
    interims: tuple[Interim, ...]
    gaps: tuple[Gap, ...]
    complete: bool = True
