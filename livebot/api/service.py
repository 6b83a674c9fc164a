"""What the API needs of a backend, its rooms and its app, so that its tests bring their own."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from livebot.ids import RoomToken, TalkSessionId
from livebot.rooms.keeping import AS_SET, Erasure, Keeping
from livebot.rooms.readers import Wish
from livebot.rooms.status import Health, RoomStatus
from livebot.settings import IceServer
from livebot.translator import TranslationLanguages


class RoomService(Protocol):
    """All rooms of one backend; `rooms.manager.RoomManager` is the real one.

    Nothing here waits for a peer: rooms begin, change and end in the background.
    """

    async def enable(
        self,
        token: RoomToken,
        language: str | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        *,
        owner: str = "",
        keeping: Keeping = AS_SET,
    ) -> bool:
        """Caption a room for everybody in its call; return False if it runs already.

        Args:
            token: The room.
            language: What is spoken; None for the default, or for what a running room has.
            ice_servers: STUN and TURN servers for this room; empty where the settings decide.
            owner: The name of the key whose quota the room counts for; empty for nobody's.
            keeping: What is kept of it from now on.

        Raises:
            RequestError: That cannot be kept.
            UnsupportedLanguageError: No engine understands it.
            BusyError: The service is full, overloaded or about to stop.
            QuotaError: The owner has as many rooms or speakers as it may have.
        """

    async def add_reader(
        self,
        token: RoomToken,
        reader: TalkSessionId,
        wish: Wish,
        language: str | None = None,
        *,
        owner: str = "",
    ) -> bool:
        """Caption a room for one reader more; return False if the room runs already.

        Raises:
            As `enable()`; UnsupportedLanguageError also where the wish's target cannot be had.
            TranslationUnavailableError: The wish has a target, and there is no translator.
        """

    async def remove_reader(self, token: RoomToken, reader: TalkSessionId) -> None:
        """Let a reader read no more; the room ends a while after its last one.

        Raises:
            NotFoundError: There is no such room, or nobody of this session reads there.
        """

    async def set_language(self, token: RoomToken, language: str | None) -> None:
        """Change what is spoken in a room; None is the default.

        Raises:
            NotFoundError: There is no such room.
            UnsupportedLanguageError: No engine understands it.
        """

    async def set_target(
        self, token: RoomToken, reader: TalkSessionId, target: str | None
    ) -> None:
        """Change the language that one reader reads in; None is the spoken one.

        Raises:
            NotFoundError: There is no such room.
            NotAReaderError: This session has not asked for captions there.
            UnsupportedLanguageError: It cannot be translated into that.
            TranslationUnavailableError: There is no translator.
        """

    async def disable(self, token: RoomToken) -> None:
        """Leave a room, whoever reads there.

        Raises:
            NotFoundError: There is no such room.
        """

    async def forget(self, erasure: Erasure) -> None:
        """Take back what was said and is not in the store: what is told and what waits."""

    def rooms(self) -> Sequence[RoomStatus]:
        """Return how the rooms are doing."""

    def health(self) -> Health:
        """Say how the rooms are doing."""

    @property
    def obstacles(self) -> Sequence[str]:
        """What keeps another room from being taken, one short text each; empty if nothing."""

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages that are understood: code and English name; `auto` where one is heard."""

    async def translation_languages(self) -> TranslationLanguages:
        """Say what can be translated; within 2.5 s.

        Raises:
            TranslationUnavailableError: Nothing can.
            TranslationError: It cannot be found out now.
        """

    @property
    def translates(self) -> bool:
        """Whether there is a translator at all."""


class AppLifecycle(Protocol):
    """What the API needs from whoever looks after the app; nothing waits for a peer."""

    @property
    def enabled(self) -> bool:
        """Whether Nextcloud lets the app work."""

    async def set_enabled(self, on: bool) -> str:  # noqa: FBT001  # it is the only one
        """Begin to work or cease, once more or not; return why not, or nothing.

        Done within 2.5 s: what takes longer goes on in the background.
        """

    def begin_init(self) -> None:
        """Begin to prepare, and to tell Nextcloud about the progress, in the background."""
