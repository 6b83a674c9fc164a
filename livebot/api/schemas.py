"""Bodies of answers: values in, JSON out; `openapi.py` makes their schemas of the types."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from livebot.captions.gap import Gap as RoomGap
from livebot.captions.text import has_spaces
from livebot.rooms.status import Health as Healthiness
from livebot.rooms.status import HealthStatus, RoomState, RoomStatus, SpeakerStatus
from livebot.translator import TranslationLanguages

_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


class Error(Struct, frozen=True):
    """What is wrong; for a language, `supported` says which ones would work."""

    error: str
    supported: list[str] | UnsetType = UNSET


class Message(Struct, frozen=True):
    """Done, in words."""

    message: str


class Outcome(Struct, frozen=True, rename="camel"):
    """What became of a request to begin or to end."""

    status: Literal["started", "already running", "stopped"]
    room_token: str
    message: str


class Speaker(Struct, frozen=True, rename="camel"):
    """A speaker: what is heard, and what came of it."""

    session_id: str
    name: str
    media: str
    stream: str
    audio_seconds: float
    dropped_seconds: float
    captions: int
    last_error: str | None


class Gap(Struct, frozen=True, rename="camel"):
    """A time in which speech was lost; `seconds` is null while it lasts."""

    at: str
    cause: str
    seconds: float | None
    lost_seconds: float


class Room(Struct, frozen=True, rename="camel"):
    """A room; with several backends, `backend` says whose."""

    room_token: str
    language_id: str
    state: RoomState
    since: str
    last_error: str | None
    readers: int
    speakers: list[Speaker]
    gaps: list[Gap]
    backend: str | UnsetType = UNSET


class Rooms(Struct, frozen=True):
    """All rooms."""

    rooms: list[Room]


class Metadata(Struct, frozen=True):
    """How a language is written: what is between two words, and whether from right to left."""

    separator: str
    rtl: bool


class Language(Struct, frozen=True):
    """A language as Talk shows it."""

    name: str
    metadata: Metadata


class Translations(Struct, frozen=True):
    """Any of the one can be translated into any of the other."""

    origin_languages: dict[str, Language]
    target_languages: dict[str, Language]


class TranscriptionAbility(Struct, frozen=True):
    """What can be understood."""

    supported_languages: dict[str, Language]


class TranslationAbility(Struct, frozen=True):
    """What can be translated."""

    supported_translation_languages: Translations


class Abilities(Struct, frozen=True):
    """What Talk may offer; without `live_translation` it offers none."""

    version: str
    features: list[str]
    live_transcription: TranscriptionAbility
    live_translation: TranslationAbility | UnsetType = UNSET


class Capabilities(Struct, frozen=True):
    """What Talk may offer, under the name by which it knows us."""

    live_transcription: Abilities


class Health(Struct, frozen=True):
    """The service at a glance."""

    status: HealthStatus
    reasons: list[str]
    rooms: int
    speakers: int
    memory_mb: float
    timestamp: str


class Readiness(Struct, frozen=True):
    """Whether another room would be taken, and why not."""

    ready: bool
    reasons: list[str]


class Heartbeat(Struct, frozen=True):
    """Alive."""

    status: Literal["ok"] = "ok"


class Enabled(Struct, frozen=True):
    """Whether Nextcloud lets the app work."""

    enabled: bool


class EnabledChange(Struct, frozen=True):
    """Empty where it was done; else why not."""

    error: str


class Ticket(Struct, frozen=True):
    """What opens one WebSocket, as `?ticket=`."""

    ticket: str
    expires_in_s: float


class Nothing(Struct, frozen=True):
    """Nothing to say."""


def rooms(found: Iterable[tuple[str | None, Sequence[RoomStatus]]]) -> Rooms:
    """Return the rooms of each backend; its name is None where there is one only."""
    return Rooms([_room(room, backend) for backend, its in found for room in its])


def _room(room: RoomStatus, backend: str | None) -> Room:
    return Room(
        room_token=room.token,
        language_id=room.language,
        state=room.state,
        since=_timestamp(room.since),
        last_error=room.last_error,
        readers=room.readers,
        speakers=[_speaker(speaker) for speaker in room.speakers],
        gaps=[_gap(gap, room.since) for gap in room.gaps],
        backend=UNSET if backend is None else backend,
    )


def _gap(gap: RoomGap, since: float) -> Gap:
    return Gap(
        at=_timestamp(since + gap.start),
        cause=gap.cause.value,
        seconds=None if gap.end is None else round(gap.end - gap.start, 1),
        lost_seconds=round(gap.lost_s, 1),
    )


def _speaker(speaker: SpeakerStatus) -> Speaker:
    return Speaker(
        session_id=speaker.session,
        name=speaker.name,
        media=speaker.media,
        stream=speaker.stream,
        audio_seconds=round(speaker.audio_seconds, 3),
        dropped_seconds=round(speaker.dropped_seconds, 3),
        captions=speaker.captions,
        last_error=speaker.last_error,
    )


def languages(found: Mapping[str, str]) -> dict[str, Language]:
    """Return the languages the way Talk wants them."""
    return {
        code: Language(
            name,
            Metadata(separator=" " if has_spaces(code) else "", rtl=_base(code) in _RIGHT_TO_LEFT),
        )
        for code, name in found.items()
    }


def translations(found: TranslationLanguages) -> Translations:
    """Return what can be translated the way Talk wants it."""
    return Translations(languages(found.origins), languages(found.targets))


def capabilities(
    version: str, known: Mapping[str, str], translated: TranslationLanguages | None
) -> Capabilities:
    """Return what Talk may offer; `translated` is None where nothing is."""
    features = ["live_transcription"]
    ability: TranslationAbility | UnsetType = UNSET
    if translated is not None:
        features.append("live_translation")
        ability = TranslationAbility(translations(translated))
    spoken = TranscriptionAbility(languages(known))
    return Capabilities(Abilities(version, features, spoken, ability))


def _base(code: str) -> str:
    return re.split("[-_]", code, maxsplit=1)[0]


def health(
    found: Mapping[str, Healthiness],
    *,
    memory_mb: float,
    now: float,
    troubles: Sequence[str] = (),
    are_told: bool = True,
) -> Health:
    """Return the service's health: that of all backends; `now` in seconds of the epoch.

    Args:
        found: Of each backend.
        memory_mb: What the process takes.
        now: In seconds of the epoch.
        troubles: What is wrong besides calls.
        are_told: Whether whoever asks may know what.
    """
    several = len(found) > 1
    reasons = prefixed({name: its.reasons for name, its in found.items()}, several=several)
    status = _together([its.status for its in found.values()])
    if troubles and status is HealthStatus.HEALTHY:
        status = HealthStatus.DEGRADED
    return Health(
        status=status,
        reasons=[*reasons, *(troubles if are_told else ())],
        rooms=sum(its.rooms for its in found.values()),
        speakers=sum(its.speakers for its in found.values()),
        memory_mb=round(memory_mb, 1),
        timestamp=_timestamp(now),
    )


def _together(found: Sequence[HealthStatus]) -> HealthStatus:
    """Return the status of all: as long as one backend is served, restarting would harm it."""
    different = set(found) or {HealthStatus.HEALTHY}
    return different.pop() if len(different) == 1 else HealthStatus.DEGRADED


def readiness(obstacles: Mapping[str, Sequence[str]], *, told: Collection[str]) -> Readiness:
    """Return whether any backend takes another room, and what keeps those in `told` from it."""
    shown = {name: its for name, its in obstacles.items() if name in told}
    reasons = prefixed(shown, several=len(obstacles) > 1)
    is_full = bool(obstacles) and all(obstacles.values())
    return Readiness(ready=not is_full, reasons=reasons)


def prefixed(reasons: Mapping[str, Sequence[str]], *, several: bool) -> list[str]:
    """Return the backends' reasons, each with the backend's name where there are several."""
    return [
        f"{name}: {reason}" if several else reason
        for name, its in reasons.items()
        for reason in its
    ]


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
