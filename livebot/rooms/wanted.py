"""The rooms that are wanted, as text: what is noted to be taken up again after a restart."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from livebot.ids import RoomToken, is_room_token
from livebot.settings import IceServer, parse_ice_servers

VERSION = 1


@dataclass(frozen=True, slots=True)
class WantedRoom:
    """A room as it was asked for; nothing about who is in it or what is said there.

    Attributes:
        token: The room.
        language: The language of its captions.
        ice_servers: STUN and TURN servers for this room; empty where the settings decide.
    """

    token: RoomToken
    language: str
    ice_servers: tuple[IceServer, ...] = ()


def encode(rooms: Iterable[WantedRoom]) -> bytes:
    """Return the rooms as JSON; with the credentials of their TURN servers."""
    return json.dumps({"version": VERSION, "rooms": [asdict(room) for room in rooms]}).encode()


def decode(data: bytes) -> tuple[WantedRoom, ...]:
    """Read what `encode()` wrote.

    Raises:
        ValueError: It is something else; the text says what and quotes nothing.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(found, dict) or found.get("version") != VERSION:
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
        } if is_room_token(token):
            return WantedRoom(RoomToken(token), language, parse_ice_servers(servers))
        case _:
            raise ValueError("has something that is no room")
