"""The rooms that are wanted, as text: what is noted to be taken up again after a restart."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import msgspec

from livebot.ids import RoomToken, TalkSessionId, is_room_token, is_talk_session
from livebot.rooms.keeping import AS_SET, Keeping
from livebot.rooms.readers import MOST_READERS, Wish
from livebot.settings import IceServer, parse_ice_servers

VERSION = 2


@dataclass(frozen=True, slots=True)
class WantedRoom:
    """A room as it was asked for; nothing about what is said there.

    Attributes:
        token: The room.
        language: What is spoken there.
        ice_servers: STUN and TURN servers for this room; empty where the settings decide.
        owner: The name of the key whose quota it counts for; empty for nobody's.
        everybody: Whether all people in its call read.
        readers: Who asked to read.
        keeping: What was said of what is kept.
    """

    token: RoomToken
    language: str
    ice_servers: tuple[IceServer, ...] = ()
    owner: str = ""
    everybody: bool = True
    readers: Mapping[TalkSessionId, Wish] = field(default_factory=dict)
    keeping: Keeping = AS_SET


def encode(rooms: Iterable[WantedRoom]) -> bytes:
    """Return the rooms as JSON; with the credentials of their TURN servers."""
    return json.dumps({"version": VERSION, "rooms": [asdict(room) for room in rooms]}).encode()


def decode(data: bytes) -> tuple[WantedRoom, ...]:
    """Read what `encode()` wrote, now or in version 1, where everybody read.

    Raises:
        ValueError: It is something else; the text says what and quotes nothing.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(found, dict) or found.get("version") not in (1, VERSION):
        raise ValueError(f"is not of version {VERSION}")
    rooms = found.get("rooms")
    if not isinstance(rooms, list):
        raise ValueError("has no list of rooms")  # noqa: TRY004 - a fault of the file
    return tuple(_room(room) for room in rooms)


def _room(value: object) -> WantedRoom:
    match value:
        case {
            "token": str(token),
            "language": str(language),
            "ice_servers": list(servers),
            **more,
        } if is_room_token(token):
            return WantedRoom(
                RoomToken(token),
                language,
                parse_ice_servers(servers),
                owner=_text(more.get("owner", "")),
                everybody=more.get("everybody", True) is True,
                readers=_readers(more.get("readers", {})),
                keeping=_keeping(more.get("keeping", {})),
            )
        case _:
            raise ValueError("has something that is no room")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("has an owner that is no name")


def _keeping(value: object) -> Keeping:
    try:
        return msgspec.convert(value, Keeping)
    except msgspec.ValidationError:
        raise ValueError("has something that says nothing of what is kept") from None


def _readers(value: object) -> dict[TalkSessionId, Wish]:
    try:
        found = msgspec.convert(value, dict[str, Wish])
    except msgspec.ValidationError:
        raise ValueError("has something that is no reader") from None
    if len(found) > MOST_READERS or not all(map(is_talk_session, found)):
        raise ValueError("has something that is no reader")
    return {TalkSessionId(who): wish for who, wish in found.items()}
