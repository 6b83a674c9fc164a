"""Whether one more room, or one more speaker, may be taken."""

from collections.abc import Callable, Mapping, Sequence

from livebot.errors import BusyError, QuotaError
from livebot.ids import RoomToken
from livebot.rooms.room import Room
from livebot.rooms.surroundings import Surroundings
from livebot.rooms.wanted import WantedRoom
from livebot.settings import Settings

QUOTA_RETRY_S = 60.0
"""When a caller with too many rooms may ask again: one may have ended by then."""

ENDING_S = 5.0
"""When one may whose rooms are just ending."""


class Admission:
    """The limits of one backend: its own, its callers', and those of the whole process.

    Args:
        settings: What they are.
        rooms: Those that run.
        wanted: Those that are wanted, and who wants them.
        leaving: Those that were asked to end and have not, and who wanted them. They are
            bounded like those that run, and one more: it may end and another begin at once.
        overload: Why the process can take no more, one short sentence each.
        around: Says what limits the process has.
    """

    def __init__(
        self,
        settings: Settings,
        rooms: Mapping[RoomToken, Room],
        wanted: Mapping[RoomToken, WantedRoom],
        leaving: Mapping[Room, str],
        overload: Callable[[], Sequence[str]],
        around: Surroundings,
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._wanted = wanted
        self._leaving = leaving
        self._overload = overload
        self._around = around

    @property
    def speakers(self) -> int:
        """How many people are listened to."""
        return sum(room.speaker_count for room in self._rooms.values())

    @property
    def obstacles(self) -> list[str]:
        """What keeps another room from being taken, one short text each; empty if nothing."""
        found = []
        for count, limit, what in (
            (len(self._rooms), self._settings.max_rooms, "rooms"),
            (len(self._leaving), self._settings.max_rooms + 1, "rooms being left"),
            (self.speakers, self._settings.max_speakers, "speakers"),
        ):
            if count >= limit:
                found.append(f"{count} of {limit} {what}")
        return [*found, *self._around.full(), *self._overload()]

    def check(self, owner: str, token: RoomToken) -> None:
        """Check that a caller may have a room, which may be wanted already, but does not run.

        Raises:
            BusyError: Nobody may.
            QuotaError: This one may not.
        """
        if obstacles := self.obstacles:
            raise BusyError(f"no new rooms now ({', '.join(obstacles)}); try again later")
        quota, others = self._settings.quota(owner), set(self._owned(owner)) - {token}
        if quota.max_rooms and len(others) >= quota.max_rooms:
            raise QuotaError(f"{len(others)} rooms are all of this key", retry_in_s=QUOTA_RETRY_S)
        if not self._may_speak(owner):
            raise QuotaError("the speakers of this key are all taken", retry_in_s=QUOTA_RETRY_S)
        left = sum(whose == owner for whose in self._leaving.values())
        if quota.max_rooms and left > quota.max_rooms:
            raise QuotaError(f"{left} rooms of this key are just ending", retry_in_s=ENDING_S)

    def may_listen(self, token: RoomToken) -> bool:
        """Say whether one more speaker may be listened to in a room."""
        is_full = self.speakers >= self._settings.max_speakers or not self._around.may_listen()
        if is_full or self._overload():
            return False
        wanted = self._wanted.get(token)
        return wanted is None or self._may_speak(wanted.owner)

    def _may_speak(self, owner: str) -> bool:
        limit = self._settings.quota(owner).max_speakers
        return not limit or self._speakers_of(owner) < limit

    def _owned(self, owner: str) -> list[RoomToken]:
        return [token for token, wanted in self._wanted.items() if wanted.owner == owner]

    def _speakers_of(self, owner: str) -> int:
        rooms = (self._rooms.get(token) for token in self._owned(owner))
        return sum(room.speaker_count for room in rooms if room)
