"""All rooms of this process: enable, disable, limits, drain.

A room is wanted from the request for it until it is asked to end, or ends by itself. What is
wanted is kept over a restart and taken up again; what runs is derived from it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
from livebot.rooms.wanted import WantedRoom
from livebot.settings import IceServer, Settings
from livebot.stt.engine import SttEngine

log = structlog.get_logger("rooms")

_STOPPING = "about to stop"

KEPT_FAILURES = 20
"""Rooms that ended by a fault stay visible until so many newer ones did."""

TAKE_UP = 5
TAKE_UP_EVERY_S = 1.0
"""After a restart so many rooms begin at a time, not all in one moment."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rooms are told about the rest of the service, and what they tell it.

    Attributes:
        overload: Why no more can be taken, one short sentence each; empty where it can.
        troubles: What else is wrong in the service, for the health check.
        keep: Called with all rooms that are wanted whenever that changes; must not block.
        found: The rooms that were wanted before the restart.
    """

    overload: Callable[[], Sequence[str]] = tuple
    troubles: Callable[[], Sequence[str]] = tuple
    keep: Callable[[Iterable[WantedRoom]], None] = lambda _: None
    found: Sequence[WantedRoom] = ()


class RoomManager:
    """The rooms; to be entered once, and left only after `drain()`.

    Args:
        settings: Limits and what the rooms need to know.
        engine: Entered already; shared by all rooms.
        metrics: What is counted.
        around: The rest of the service.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: SttEngine,
        metrics: Metrics,
        around: Surroundings | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._around = around or Surroundings()
        self._wanted = {room.token: room for room in self._around.found}
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
            BusyError: The service is full, overloaded or about to stop.
        """
        if language not in self.languages:
            raise UnsupportedLanguageError(language, self.languages)
        if self._stays(token):
            return False
        if obstacles := self.obstacles:
            raise BusyError(f"no new rooms now ({', '.join(obstacles)}); try again later")
        self._start(WantedRoom(token, language, ice_servers))
        return True

    async def disable(self, token: RoomToken) -> None:
        """Leave a room; the last words still come out, in the background.

        Raises:
            NotFoundError: There is no such room.
        """
        if self._wanted.pop(token, None) is None:
            raise NotFoundError("this room is not being transcribed")
        self._around.keep(self._wanted.values())
        if room := self._rooms.pop(token, None):
            room.stop("asked to")
        self._count()

    async def take_up(self) -> None:
        """Start the rooms that were wanted before the restart, a few at a time."""
        while waiting := self._waiting:
            for room in waiting[:TAKE_UP]:
                if self.obstacles:
                    break
                self._take_up(room)
            await asyncio.sleep(TAKE_UP_EVERY_S)

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
        if waiting := len(self._waiting):
            reasons.append(f"rooms of the last run not taken up yet: {waiting}")
        reasons += [*self._around.overload(), *self._around.troubles()]
        if self._draining:
            reasons.append(_STOPPING)
        return Health(
            status=HealthStatus.DEGRADED if reasons else HealthStatus.HEALTHY,
            reasons=tuple(reasons),
            rooms=len(self._rooms),
            speakers=self._speakers,
        )

    @property
    def obstacles(self) -> list[str]:
        """What keeps another room from being taken, one short text each; empty if nothing."""
        found = [_STOPPING] if self._draining else []
        for count, limit, what in (
            (len(self._rooms), self._settings.max_rooms, "rooms"),
            (self._speakers, self._settings.max_speakers, "speakers"),
        ):
            if count >= limit:
                found.append(f"{count} of {limit} {what}")
        return [*found, *self._around.overload()]

    @property
    def may_listen(self) -> bool:
        """Whether one more speaker may be listened to, in whatever room."""
        return self._speakers < self._settings.max_speakers and not self._around.overload()

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

    def _stays(self, token: RoomToken) -> bool:
        """Whether the room runs and is not just being left, so that it may be asked for anew."""
        room = self._rooms.get(token)
        return room is not None and room.status().state is not RoomState.LEAVING

    @property
    def _waiting(self) -> list[WantedRoom]:
        """The rooms that are wanted and do not run, which is so after a restart only."""
        if self._draining:
            return []
        return [room for token, room in self._wanted.items() if token not in self._rooms]

    def _take_up(self, wanted: WantedRoom) -> None:
        """Start a room of the last run, unless the engine has changed meanwhile."""
        known = wanted.language in self.languages
        log.info("room_taken_up", room=short(wanted.token), language_known=known)
        if known:
            self._start(wanted)
        else:
            self._forget(wanted.token)

    def _start(self, wanted: WantedRoom) -> None:
        room = Room(
            self._room_options(wanted),
            engine=self._engine,
            metrics=self._metrics,
            may_listen=lambda: self.may_listen,
            on_change=self._count,
        )
        self._failed.pop(wanted.token, None)
        self._rooms[wanted.token] = room
        self._wanted[wanted.token] = wanted
        self._around.keep(self._wanted.values())
        self._supervisor.start(room, lambda: self._serve(room))
        self._count()

    async def _serve(self, room: Room) -> None:
        is_over = True
        try:
            await room.run()
        except asyncio.CancelledError:
            is_over = False  # the process ends, not the room
            raise
        finally:
            # A room of the same token may have been enabled again meanwhile.
            if self._rooms.get(room.token) is room:
                del self._rooms[room.token]
                if is_over and not self._draining:
                    self._forget(room.token)
            self._count()

    def _forget(self, token: RoomToken) -> None:
        del self._wanted[token]
        self._around.keep(self._wanted.values())

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

    def _room_options(self, wanted: WantedRoom) -> RoomOptions:
        settings = self._settings
        return RoomOptions(
            token=wanted.token,
            hpb_url=settings.hpb_socket_url,
            secret=settings.internal_secret.get_secret_value(),
            backend=settings.backend_url,
            empty_s=settings.empty_room_s,
            notices=settings.notices,
            speakers=SpeakerOptions(
                reception=ReceptionOptions(
                    chunk_ms=settings.chunk_ms,
                    ice_servers=wanted.ice_servers or settings.ice_servers,
                    ice_policy=IcePolicy(settings.ice_policy),
                ),
                recognition=RecognitionOptions(
                    language=wanted.language,
                    caption_mode=settings.caption_mode,
                    replay_s=settings.replay_s,
                ),
                backlog_s=settings.backlog_s,
            ),
        )
