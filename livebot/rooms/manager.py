"""What may be asked of the rooms of one backend: enable, readers, languages, health, drain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import structlog

from livebot.errors import (
    NotFoundError,
    TranslationError,
    TranslationUnavailableError,
    UnsupportedLanguageError,
)
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.rooms.directory import Directory
from livebot.rooms.keeping import AS_SET, Erasure, Keeping, check
from livebot.rooms.readers import Readers, Wish
from livebot.rooms.room import Room
from livebot.rooms.status import Health, HealthStatus, RoomStatus
from livebot.rooms.surroundings import Surroundings
from livebot.rooms.wanted import WantedRoom
from livebot.settings import IceServer, Settings
from livebot.stt.engine import SttEngine
from livebot.stt.languages import match
from livebot.translator import TranslationLanguages

log = structlog.get_logger("rooms")


class RoomManager:
    """The rooms of one backend, an `api.service.RoomService`; left only after `drain()`.

    Args:
        settings: The backend's limits, and what its rooms need to know.
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
        self._around = around or Surroundings()
        self._directory = Directory(settings, engine=engine, metrics=metrics, around=self._around)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._directory.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cancel the rooms that `drain()` did not end."""
        await self._directory.__aexit__(*exc)

    async def enable(
        self,
        token: RoomToken,
        language: str | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        *,
        owner: str = "",
        keeping: Keeping = AS_SET,
    ) -> bool:
        """Caption a room for everybody in its call; return False if it runs already."""
        spoken = self._spoken(language)
        asked = self._directory.asked(token)
        said = asked.keeping.then(keeping) if asked else keeping
        if keeping != AS_SET:
            check(self._settings, said, can_keep=self._around.archive is not None)
        if room := self._directory.find(token):
            room.readers.everybody = True
            self._changed(room)
            if keeping != AS_SET:
                self._directory.keep(token, keeping)
            return False
        self._directory.admission.check(owner, token)
        readers = asked.readers if asked else {}
        self._directory.start(
            WantedRoom(token, spoken, ice_servers, owner, readers=readers, keeping=said)
        )
        return True

    async def add_reader(
        self,
        token: RoomToken,
        reader: TalkSessionId,
        wish: Wish,
        language: str | None = None,
        *,
        owner: str = "",
    ) -> bool:
        """Caption a room for one reader more; return False if the room runs already."""
        spoken = self._spoken(language)
        await self._check_target(wish.target)
        if room := self._directory.find(token):
            room.readers.ask(reader, wish, here=room.here)
            self._changed(room)
            return False
        self._directory.admission.check(owner, token)
        asked = self._directory.asked(token) or WantedRoom(token, spoken, everybody=False)
        if language is None and asked.language in self.languages:
            spoken = asked.language
        readers = Readers(self._settings.caption_mode, wishes=asked.readers)
        readers.ask(reader, wish)
        self._directory.start(
            replace(asked, language=spoken, owner=owner, readers=dict(readers.wishes))
        )
        return True

    async def remove_reader(self, token: RoomToken, reader: TalkSessionId) -> None:
        """Let a reader read no more; the room ends a while after its last one."""
        if room := self._directory.find(token):
            if not room.readers.withdraw(reader):
                raise NotFoundError("this session does not read in this room")
            self._changed(room)
            return
        asked = self._wanted(token)
        if reader not in asked.readers:
            raise NotFoundError("this session does not read in this room")
        readers = {who: wish for who, wish in asked.readers.items() if who != reader}
        self._directory.note(replace(asked, readers=readers))

    async def set_language(self, token: RoomToken, language: str | None) -> None:
        """Change what is spoken in a room; None is the default."""
        asked, spoken = self._wanted(token), self._spoken(language)
        if room := self._directory.find(token):
            room.set_language(spoken)
            self._directory.changed(room)
        else:
            self._directory.note(replace(asked, language=spoken))

    async def set_target(
        self, token: RoomToken, reader: TalkSessionId, target: str | None
    ) -> None:
        """Change the language that one reader reads in; None is the spoken one."""
        self._running(token).readers.check(reader)
        await self._check_target(target)
        room = self._running(token)
        room.readers.set_target(reader, target)
        self._changed(room)

    async def disable(self, token: RoomToken) -> None:
        """Leave a room; the last words still come out, in the background."""
        self._directory.stop(token)

    async def disable_all(self) -> None:
        """Leave all rooms; the last words still come out, in the background."""
        self._directory.stop_all()

    async def forget(self, erasure: Erasure) -> None:
        """Take back what was said and is not in the store."""
        await self._directory.forget(erasure)

    def rooms(self) -> list[RoomStatus]:
        """Return the rooms there are, then those that ended by a fault."""
        return self._directory.statuses()

    def health(self) -> Health:
        """Say how the rooms are doing."""
        around = self._around
        reasons = (*self._directory.troubles(), *around.overload(), *around.troubles())
        return Health(
            status=HealthStatus.DEGRADED if reasons else HealthStatus.HEALTHY,
            reasons=reasons,
            rooms=self.room_count,
            speakers=self.speaker_count,
        )

    @property
    def room_count(self) -> int:
        """How many rooms run."""
        return len(self._directory)

    @property
    def speaker_count(self) -> int:
        """How many people are listened to."""
        return self._directory.admission.speakers

    @property
    def obstacles(self) -> list[str]:
        """What keeps another room from being taken, one short text each; empty if nothing."""
        return self._directory.admission.obstacles

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages the engine understands: code and English name."""
        return self._engine.capabilities.languages

    @property
    def translates(self) -> bool:
        """Whether there is a translator at all."""
        return self._around.translator is not None

    async def translation_languages(self) -> TranslationLanguages:
        """Say what can be translated."""
        if self._around.translator is None:
            raise TranslationUnavailableError("there is no translator")
        return await self._around.translator.languages()

    async def take_up(self) -> None:
        """Start the rooms that were wanted before the restart."""
        await self._directory.take_up()

    async def drain(self, deadline_s: float) -> None:
        """Take no new rooms, and leave all after their last words; done by the deadline."""
        await self._directory.drain(deadline_s)

    def _changed(self, room: Room) -> None:
        self._directory.changed(room)
        room.readers_changed()

    def _running(self, token: RoomToken) -> Room:
        if room := self._directory.find(token):
            return room
        raise NotFoundError("this room is not being transcribed")

    def _wanted(self, token: RoomToken) -> WantedRoom:
        if asked := self._directory.asked(token):
            return asked
        raise NotFoundError("this room is not being transcribed")

    def _spoken(self, language: str | None) -> str:
        """Return the code by which the engine knows a language; the default for None.

        Raises:
            UnsupportedLanguageError: It does not.
        """
        wanted = language or self._settings.language
        if (known := match(wanted, self.languages)) is None:
            raise UnsupportedLanguageError(wanted, self.languages)
        return known

    async def _check_target(self, target: str | None) -> None:
        """Check that somebody can read in a language.

        Raises:
            TranslationUnavailableError: Nothing can be translated.
            UnsupportedLanguageError: Not into this.
        """
        if target is None:
            return
        try:
            targets = (await self.translation_languages()).targets
        except TranslationUnavailableError:
            raise
        except TranslationError as exc:
            # Until it is known, this reader gets what is said.
            log.warning("translation_languages_unknown", error=str(exc))
            return
        if target not in targets:
            raise UnsupportedLanguageError(target, targets)
