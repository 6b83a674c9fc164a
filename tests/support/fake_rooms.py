"""Rooms without calls, for tests of the API."""

from collections.abc import Mapping

from livebot.captions.gap import Cause, Gap
from livebot.errors import BusyError, NotFoundError, UnsupportedLanguageError
from livebot.ids import RoomToken, SessionId
from livebot.rooms.status import Health, HealthStatus, RoomState, RoomStatus, SpeakerStatus
from livebot.settings import IceServer


class FakeRooms:
    """Keeps what was asked for; `limit` rooms at most."""

    def __init__(self, limit: int = 3) -> None:
        self.limit = limit
        self.enabled: dict[RoomToken, tuple[str, tuple[IceServer, ...]]] = {}
        self.state = HealthStatus.HEALTHY
        self.fault: Exception | None = None

    async def enable(
        self, token: RoomToken, language: str, ice_servers: tuple[IceServer, ...]
    ) -> bool:
        """Keep the room, or raise as the real ones do."""
        if self.fault is not None:
            raise self.fault
        if language not in self.languages:
            raise UnsupportedLanguageError(language, self.languages)
        if token in self.enabled:
            return False
        if self.obstacles:
            raise BusyError("no new rooms now; try again later")
        self.enabled[token] = language, ice_servers
        return True

    async def disable(self, token: RoomToken) -> None:
        """Forget the room."""
        if self.enabled.pop(token, None) is None:
            raise NotFoundError("this room is not being transcribed")

    def rooms(self) -> list[RoomStatus]:
        """Return each room with one speaker."""
        speaker = SpeakerStatus(
            session=SessionId("session-1"),
            name="Alice",
            media="connected",
            stream="open",
            audio_seconds=1.23456,
            dropped_seconds=0.0,
            captions=2,
            last_error=None,
        )
        return [
            RoomStatus(
                token=token,
                language=language,
                state=RoomState.JOINED,
                since=0.0,
                speakers=(speaker,),
                last_error="was lost once",
                gaps=(Gap(Cause.MEDIA, start=60.0, end=72.0, lost_s=11.96),),
            )
            for token, (language, _) in self.enabled.items()
        ]

    def health(self) -> Health:
        """Say what the test wants said."""
        reasons = () if self.state is HealthStatus.HEALTHY else ("because the test says so",)
        return Health(self.state, reasons, rooms=len(self.enabled), speakers=2)

    @property
    def obstacles(self) -> list[str]:
        """Say whether there is no room for another."""
        return [] if len(self.enabled) < self.limit else ["full, says the test"]

    @property
    def languages(self) -> Mapping[str, str]:
        """English, and two that differ in how they are written."""
        return {"en": "English", "ja": "Japanese", "ar": "Arabic"}
