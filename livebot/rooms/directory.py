"""The rooms of one backend that are wanted, and those that run.

A room is wanted from the request for it until it is asked to end, or ends by itself. What is
wanted is kept over a restart and taken up again; what runs is derived from it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Self

import structlog

from livebot.errors import LivebotError, NotFoundError
from livebot.hearing.supervisor import Supervisor
from livebot.ids import RoomToken, short
from livebot.metrics import Metrics
from livebot.rooms.admission import Admission
from livebot.rooms.blueprint import room_options
from livebot.rooms.keeping import Erasure, Keeping, decide
from livebot.rooms.room import Room
from livebot.rooms.status import RoomState, RoomStatus
from livebot.rooms.surroundings import Surroundings
from livebot.rooms.wanted import WantedRoom
from livebot.settings import Settings
from livebot.stt.engine import SttEngine

log = structlog.get_logger("rooms")

STOPPING = "about to stop"

KEPT_FAILURES = 20
"""Rooms that ended by a fault stay visible until so many newer ones did."""

TAKE_UP = 5
TAKE_UP_EVERY_S = 1.0
"""After a restart so many rooms begin at a time, not all in one moment."""


class Directory:
    """Who is captioned; to be entered once, and left only after `drain()`.

    Args:
        settings: The backend's.
        engine: Entered already; shared by all rooms.
        metrics: What is counted.
        around: The rest of the service.

    Attributes:
        admission: Says whether there may be more.
    """

    def __init__(
        self, settings: Settings, *, engine: SttEngine, metrics: Metrics, around: Surroundings
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._around = around
        self._wanted = {room.token: room for room in around.found}
        self._rooms: dict[RoomToken, Room] = {}
        self._leaving: dict[Room, str] = {}
        self._failed: dict[RoomToken, RoomStatus] = {}
        self._draining = False
        self._counted = 0, 0
        self.admission = Admission(
            settings, self._rooms, self._wanted, self._leaving, self._overload, around
        )
        self._supervisor = Supervisor[Room](self._room_failed)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._supervisor.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cancel the rooms that `drain()` did not end."""
        await self._supervisor.__aexit__(*exc)

    def __len__(self) -> int:
        return len(self._rooms)

    def find(self, token: RoomToken) -> Room | None:
        """Return a room that runs and is not just being left, so that it may be asked for anew."""
        room = self._rooms.get(token)
        return room if room and room.status().state is not RoomState.LEAVING else None

    def asked(self, token: RoomToken) -> WantedRoom | None:
        """Return how a room is wanted, also one that does not run yet or is just being left."""
        return self._wanted.get(token)

    def statuses(self) -> list[RoomStatus]:
        """Return the rooms there are, then those that ended by a fault."""
        return [*(room.status() for room in self._rooms.values()), *self._failed.values()]

    def troubles(self) -> Iterator[str]:
        """Yield what is wrong in any room, one short sentence each."""
        for token, room in self._rooms.items():
            for trouble in room.troubles:
                yield f"room {short(token)}: {trouble}"
        for status in self._failed.values():
            yield f"room {short(status.token)} failed: {status.last_error}"
        if waiting := len(self._waiting):
            yield f"rooms of the last run not taken up yet: {waiting}"
        if self._draining:
            yield STOPPING

    # What is wanted.

    def start(self, wanted: WantedRoom) -> None:
        """Begin a room, in the background."""
        room = Room(
            room_options(
                self._settings,
                wanted,
                self._around.talk,
                self._around.translator,
                backend=self._around.name,
            ),
            engine=self._engine,
            metrics=self._metrics,
            feeds=self._around.feeds,
            archive=self._around.archive,
            may_listen=lambda: self.admission.may_listen(wanted.token),
            on_change=self._count,
        )
        self._failed.pop(wanted.token, None)
        self._rooms[wanted.token] = room
        self.note(wanted)
        self._supervisor.start(room, lambda: self._serve(room))
        self._count()

    def note(self, wanted: WantedRoom) -> None:
        """Note how a room is wanted that does not run."""
        self._wanted[wanted.token] = wanted
        self._keep()

    def changed(self, room: Room) -> None:
        """Note that a room has other readers, or another language."""
        readers = room.readers
        self.note(
            replace(
                self._wanted[room.token],
                language=room.language,
                everybody=readers.everybody,
                readers=dict(readers.wishes),
            )
        )

    def keep(self, token: RoomToken, keeping: Keeping) -> None:
        """Change what is kept of a room that is wanted."""
        asked = self._wanted[token]
        now = asked.keeping.then(keeping)
        self.note(replace(asked, keeping=now))
        if room := self.find(token):
            room.keep(decide(self._settings, now))

    async def forget(self, erasure: Erasure) -> None:
        """Take back what was said and is not in the store, in rooms that run or just ended."""
        for room in {*self._rooms.values(), *self._leaving}:
            room.forget(erasure)
        if archive := self._around.archive:
            await archive.forget(erasure, self._around.name)

    def stop(self, token: RoomToken) -> None:
        """Leave a room after its last words, in the background.

        Raises:
            NotFoundError: There is no such room.
        """
        if (wanted := self._wanted.pop(token, None)) is None:
            raise NotFoundError("this room is not being transcribed")
        self._keep()
        if room := self._rooms.pop(token, None):
            self._leaving[room] = wanted.owner
            room.stop("asked to")
        self._count()

    def stop_all(self) -> None:
        """Leave all rooms after their last words, in the background."""
        for token in list(self._wanted):
            self.stop(token)

    # From start to end.

    async def take_up(self) -> None:
        """Start the rooms that were wanted before the restart, a few at a time."""
        while waiting := self._waiting:
            for room in waiting[:TAKE_UP]:
                if self.admission.obstacles:
                    break
                self._take_up(room)
            await asyncio.sleep(TAKE_UP_EVERY_S)

    async def drain(self, deadline_s: float) -> None:
        """Take no new rooms, and leave all after their last words; done by the deadline."""
        self._draining = True
        for room in list(self._rooms.values()):
            room.stop("the service stops")
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await self._supervisor.idle()

    @property
    def _waiting(self) -> list[WantedRoom]:
        """The rooms that are wanted and do not run, which is so after a restart only."""
        if self._draining:
            return []
        return [room for token, room in self._wanted.items() if token not in self._rooms]

    def _take_up(self, wanted: WantedRoom) -> None:
        """Start a room of the last run, unless the engine has changed meanwhile."""
        known = wanted.language in self._engine.capabilities.languages
        log.info("room_taken_up", room=short(wanted.token), language_known=known)
        if known:
            self.start(wanted)
        else:
            self._forget(wanted.token)

    async def _serve(self, room: Room) -> None:
        is_over = True
        try:
            await room.run()
        except asyncio.CancelledError:
            is_over = False  # the process ends, not the room
            raise
        finally:
            self._leaving.pop(room, None)
            # A room of the same token may have been enabled again meanwhile.
            if self._rooms.get(room.token) is room:
                del self._rooms[room.token]
                if is_over and not self._draining:
                    self._forget(room.token)
            self._count()

    def _overload(self) -> list[str]:
        return [*([STOPPING] if self._draining else []), *self._around.overload()]

    def _forget(self, token: RoomToken) -> None:
        self._wanted.pop(token, None)
        self._keep()

    def _keep(self) -> None:
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
        """Count what has changed: other backends count on the same gauges."""
        rooms, speakers = len(self._rooms), self.admission.speakers
        self._metrics.rooms_active.inc(rooms - self._counted[0])
        self._metrics.speakers_active.inc(speakers - self._counted[1])
        self._counted = rooms, speakers
