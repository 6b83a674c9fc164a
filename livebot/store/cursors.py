"""Places in a list that goes on (pure): after which one, so that new ones move nothing."""

import base64
import binascii

import msgspec

from livebot.errors import RequestError


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last one of a page."""

    at: float
    id: str


def pack(place: Place) -> str:
    """Return a place as text that a client hands back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def unpack(cursor: str) -> Place:
    """Return the place of a text.

    Raises:
        RequestError: It is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return msgspec.json.decode(
            base64.b64decode(padded.encode(), altchars=b"-_", validate=True), type=Place
        )
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise RequestError("this cursor is none that was given out: leave it out") from None
