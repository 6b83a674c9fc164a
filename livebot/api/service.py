"""What the API needs from the rooms, so that its tests bring their own."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from livebot.ids import RoomToken
from livebot.rooms.status import Health, RoomStatus
from livebot.settings import IceServer


class RoomService(Protocol):
    """All rooms of the process; `rooms.manager.RoomManager` is the real one."""

    async def enable(
        self, token: RoomToken, language: str, ice_servers: tuple[IceServer, ...]
    ) -> bool:
        """Begin to caption a room, in the background; return False if it runs already.

        Raises:
            UnsupportedLanguageError: The engine does not understand it.
            BusyError: The service is full, overloaded or about to stop.
        """

    async def disable(self, token: RoomToken) -> None:
        """Leave a room.

        Raises:
            NotFoundError: There is no such room.
        """

    def rooms(self) -> Sequence[RoomStatus]:
        """Return how the rooms are doing."""

    def health(self) -> Health:
        """Say how the service is doing."""

    @property
    def obstacles(self) -> Sequence[str]:
        """What keeps another room from being taken, one short text each; empty if nothing."""

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages that are understood: code and English name."""
