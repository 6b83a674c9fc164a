"""Rooms without calls, for tests of the API."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from livebot.captions.gap import Cause, Gap
from livebot.errors import (
    BusyError,
    NotAReaderError,
    NotFoundError,
    TranslationUnavailableError,
    UnsupportedLanguageError,
)
from livebot.ids import RoomToken, SessionId, TalkSessionId
from livebot.rooms.keeping import AS_SET, Erasure, Keeping
from livebot.rooms.readers import Wish
from livebot.rooms.status import Health, HealthStatus, RoomState, RoomStatus, SpeakerStatus
from livebot.settings import IceServer
from livebot.stt.languages import match
from livebot.translator import TranslationLanguages

DEFAULT_LANGUAGE = "en"


@dataclass
class FakeRoom:
    """What was asked for in one room."""

    language: str = DEFAULT_LANGUAGE
    servers: tuple[IceServer, ...] = ()
    owner: str = ""
    everybody: bool = False
    keeping: Keeping = AS_SET
    readers: dict[TalkSessionId, Wish] = field(default_factory=dict)


class FakeRooms:
    """Keeps what was asked for; `limit` rooms at most."""

    def __init__(self, limit: int = 3) -> None:
        self.limit = limit
        self.enabled: dict[RoomToken, FakeRoom] = {}
        self.state = HealthStatus.HEALTHY
        self.fault: Exception | None = None
        self.delay_s = 0.0
        self.targets: Mapping[str, str] = {"de": "German", "fr": "French"}
        self.translates = True
        self.forgotten: list[Erasure] = []

    async def enable(
        self,
        token: RoomToken,
        language: str | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        *,
        owner: str = "",
        keeping: Keeping = AS_SET,
    ) -> bool:
        """Keep the room, or raise as the real ones do."""
        is_new = await self._begin(token, language, owner)
        room = self.enabled[token]
        room.keeping = room.keeping.then(keeping)
        room.everybody, room.servers = True, ice_servers
        return is_new

    async def add_reader(
        self,
        token: RoomToken,
        reader: TalkSessionId,
        wish: Wish,
        language: str | None = None,
        *,
        owner: str = "",
    ) -> bool:
        """Keep the reader, or raise as the real ones do."""
        self._check_target(wish.target)
        is_new = await self._begin(token, language, owner)
        self.enabled[token].readers[reader] = wish
        return is_new

    async def remove_reader(self, token: RoomToken, reader: TalkSessionId) -> None:
        """Forget the reader, and nothing else."""
        await self._wait()
        if self._room(token).readers.pop(reader, None) is None:
            raise NotFoundError("nobody of this session reads in this room")

    async def set_language(self, token: RoomToken, language: str | None) -> None:
        """Change the language."""
        await self._wait()
        self._room(token).language = self._known(language)

    async def set_target(
        self, token: RoomToken, reader: TalkSessionId, target: str | None
    ) -> None:
        """Change what a reader reads in."""
        await self._wait()
        readers = self._room(token).readers
        if reader not in readers:
            raise NotAReaderError("this session has not asked for captions in this room")
        self._check_target(target)
        readers[reader] = replace(readers[reader], target=target)

    async def disable(self, token: RoomToken) -> None:
        """Forget the room."""
        await self._wait()
        self._room(token)
        del self.enabled[token]

    async def forget(self, erasure: Erasure) -> None:
        """Note it."""
        self.forgotten.append(erasure)

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
                language=room.language,
                state=RoomState.JOINED,
                since=0.0,
                speakers=(speaker,),
                last_error="was lost once",
                gaps=(Gap(Cause.MEDIA, start=60.0, end=72.0, lost_s=11.96),),
                readers=len(room.readers),
            )
            for token, room in self.enabled.items()
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
        """English, and others that differ in how they are written."""
        return {"en": "English", "ja": "Japanese", "ar": "Arabic", "pt-BR": "Portuguese"}

    async def translation_languages(self) -> TranslationLanguages:
        """Say what the test wants said, when it wants it said."""
        await self._wait()
        if not self.translates:
            raise TranslationUnavailableError("nothing can be translated here")
        return TranslationLanguages(self.languages, self.targets)

    async def _begin(self, token: RoomToken, language: str | None, owner: str) -> bool:
        await self._wait()
        code = self._known(language)
        if token in self.enabled:
            return False
        if self.obstacles:
            raise BusyError("no new rooms now; try again later")
        self.enabled[token] = FakeRoom(code, owner=owner)
        return True

    async def _wait(self) -> None:
        if self.fault is not None:
            raise self.fault
        if self.delay_s:
            await asyncio.sleep(self.delay_s)

    def _room(self, token: RoomToken) -> FakeRoom:
        if token not in self.enabled:
            raise NotFoundError("this room is not being transcribed")
        return self.enabled[token]

    def _known(self, language: str | None) -> str:
        known = match(language or DEFAULT_LANGUAGE, self.languages)
        if known is None:
            raise UnsupportedLanguageError(language or DEFAULT_LANGUAGE, self.languages)
        return known

    def _check_target(self, target: str | None) -> None:
        if target is not None and not self.translates:
            raise TranslationUnavailableError("nothing can be translated here")
        if target is not None and target not in self.targets:
            raise UnsupportedLanguageError(target, self.targets)


class FakeApp:
    """Nextcloud's app as far as the API sees it; `trouble` keeps it from being enabled."""

    def __init__(self) -> None:
        self.enabled = True
        self.disabled = 0
        self.trouble = ""
        self.inits = 0

    async def set_enabled(self, on: bool) -> str:
        """Note it."""
        if self.trouble:
            return self.trouble
        self.enabled = on
        self.disabled += not on
        return ""

    def begin_init(self) -> None:
        """Count it."""
        self.inits += 1
