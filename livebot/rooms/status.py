"""What the API and the health check say about rooms; plain values."""

from dataclasses import dataclass
from enum import StrEnum

from livebot.captions.gap import Gap
from livebot.ids import RoomToken, SessionId


class RoomState(StrEnum):
    """How far a room has come."""

    CONNECTING = "connecting"
    JOINED = "joined"
    RECONNECTING = "reconnecting"
    LEAVING = "leaving"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SpeakerStatus:
    """One speaker: who, how the audio and the engine's stream are doing."""

    session: SessionId
    name: str
    media: str
    stream: str
    audio_seconds: float
    dropped_seconds: float
    captions: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class RoomStatus:
    """One room, its speakers, the newest gaps, and how many people read there now.

    `since` in seconds of the epoch.
    """

    token: RoomToken
    language: str
    state: RoomState
    since: float
    speakers: tuple[SpeakerStatus, ...]
    last_error: str | None
    gaps: tuple[Gap, ...] = ()
    readers: int = 0


class HealthStatus(StrEnum):
    """How the service as a whole is doing."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Health:
    """The service at a glance; `reasons` says why it is not healthy."""

    status: HealthStatus
    reasons: tuple[str, ...]
    rooms: int
    speakers: int
