"""All rooms of this process: enable, disable, limits, drain."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Self

import structlog

from livebot.errors import (
    BusyError,
    LivebotError,
    NotFoundError,
    UnsupportedLanguageError,
)
from livebot.ids import RoomToken, short
from livebot.media.ice import IcePolicy
from livebot.metrics import Metrics
from livebot.rooms.reception import ReceptionOptions
from livebot.rooms.recognition import RecognitionOptions
from livebot.rooms.room import Room, RoomOptions
from livebot.rooms.speaker import SpeakerOptions
from livebot.rooms.status import Health, HealthStatus, RoomState, RoomStatus
from livebot.rooms.supervisor import Supervisor
from livebot.settings import IceServer, Settings
from livebot.stt.engine import SttEngine

log = structlog.get_logger("rooms")

KEPT_FAILURES = 20
"""Rooms that ended by a fault stay visible until so many newer ones did."""


class RoomManager:
    """The rooms; to be entered once, and left only after `drain()`.

    Args:
        settings: Limits and what the rooms need to know.
        engine: Entered already; shared by all rooms.
        metrics: What is counted.
    """

    def __init__(self, settings: Settings, *, engine: SttEngine, metrics: Metrics) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._rooms: dict[RoomToken, Room] = {}
        self._failed: dict[RoomToken, RoomStatus] = {}
        self._draining = False
        self._supervisor = Supervisor[Room](self._room_failed)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._supervisor.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cancel the rooms that `drain()` did not end."""
        await self._supervisor.__aexit__(*exc)

    async def enable(
        self, token: RoomToken, language: str, ice_servers: tuple[IceServer, ...]
    ) -> bool:
        """Begin to caption a room, in the background; return False if it runs already.

        Raises:
            UnsupportedLanguageError: The engine does not understand it.
            BusyError: The service is full or about to stop.
        """
        if language not in self.languages:
            raise UnsupportedLanguageError(language, self.languages)
        if token in self._rooms:
            return False
        if not self.can_accept:
            why = "about to stop" if self._draining else "full"
            raise BusyError(f"the service is {why}; try again later")
        room = Room(
            self._room_options(token, language, ice_servers),
            engine=self._engine,
            metrics=self._metrics,
            on_change=self._count,
        )
        self._failed.pop(token, None)
        self._rooms[token] = room
        self._supervisor.start(room, lambda: self._serve(room))
        self._count()
        return True

    async def disable(self, token: RoomToken) -> None:
        """Leave a room; the last words still come out, in the background.

        Raises:
            NotFoundError: There is no such room.
        """
        room = self._rooms.pop(token, None)
        if room is None:
            raise NotFoundError("this room is not being transcribed")
        room.stop("asked to")
        self._count()

    def rooms(self) -> list[RoomStatus]:
        """Return the rooms there are, then those that ended by a fault."""
        return [*(room.status() for room in self._rooms.values()), *self._failed.values()]

    def health(self) -> Health:
        """Say how the rooms are doing."""
        reasons = [
            f"room {short(token)}: {trouble}"
            for token, room in self._rooms.items()
            for trouble in room.troubles
        ]
        reasons += [
            f"room {short(status.token)} failed: {status.last_error}"
            for status in self._failed.values()
        ]
        if self._draining:
            reasons.append("about to stop")
        return Health(
            status=HealthStatus.DEGRADED if reasons else HealthStatus.HEALTHY,
            reasons=tuple(reasons),
            rooms=len(self._rooms),
            speakers=self._speakers,
        )

    @property
    def can_accept(self) -> bool:
        """Whether another room can be had."""
        return (
            not self._draining
            and len(self._rooms) < self._settings.max_rooms
            and self._speakers < self._settings.max_speakers
        )

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages the engine understands: code and English name."""
        return self._engine.capabilities.languages

    async def drain(self, deadline_s: float) -> None:
        """Take no new rooms, and leave all after their last words; done by the deadline."""
        self._draining = True
        for room in list(self._rooms.values()):
            room.stop("the service stops")
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await self._supervisor.idle()

    @property
    def _speakers(self) -> int:
        return sum(room.speaker_count for room in self._rooms.values())

    async def _serve(self, room: Room) -> None:
        try:
            await room.run()
        finally:
            # A room of the same token may have been enabled again meanwhile.
            if self._rooms.get(room.token) is room:
                del self._rooms[room.token]
            self._count()

    def _room_failed(self, room: Room, error: LivebotError) -> None:
        self._metrics.errors.labels("room", type(error).__name__).inc()
        log.error("room_failed", room=short(room.token), error=str(error))
        self._failed[room.token] = replace(
            room.status(), state=RoomState.FAILED, last_error=str(error)
        )
        while len(self._failed) > KEPT_FAILURES:
            del self._failed[next(iter(self._failed))]

    def _count(self) -> None:
        self._metrics.rooms_active.set(len(self._rooms))
        self._metrics.speakers_active.set(self._speakers)

    def _room_options(
        self, token: RoomToken, language: str, ice_servers: tuple[IceServer, ...]
    ) -> RoomOptions:
        settings = self._settings
        return RoomOptions(
            token=token,
            hpb_url=settings.hpb_socket_url,
            secret=settings.internal_secret.get_secret_value(),
            backend=settings.backend_url,
            empty_s=settings.empty_room_s,
            max_speakers=settings.max_speakers,
            speakers=SpeakerOptions(
                reception=ReceptionOptions(
                    chunk_ms=settings.chunk_ms,
                    ice_servers=ice_servers or settings.ice_servers,
                    ice_policy=IcePolicy(settings.ice_policy),
                ),
                recognition=RecognitionOptions(
                    engine=settings.engine_name,
                    language=language,
                    caption_mode=settings.caption_mode,
                ),
                backlog_s=settings.backlog_s,
            ),
        )
