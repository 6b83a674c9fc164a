"""Identifiers as types of their own, so that swapped ones do not type-check."""

import re
from typing import NewType

RoomToken = NewType("RoomToken", str)
"""The token of a Talk conversation, which is also the id of its room on the signaling server."""

SessionId = NewType("SessionId", str)
"""A *public* session id of the signaling server: what other sessions see and address."""

TalkSessionId = NewType("TalkSessionId", str)
"""A session as Talk itself names it: a page that is open in a conversation. The signaling server
knows the same page by a `SessionId`, and a new one after each restart."""

NO_TALK_SESSION = TalkSessionId("")
"""Of a session about which nobody said which page of Talk it is."""

_SHOWN = 4

_ROOM_TOKEN = re.compile(r"[a-z0-9]{4,30}")

MOST_SESSION = 512
"""Characters of a session's id: the server's have about 60."""

_TALK_SESSION = re.compile(r"[!-~]{1,512}")
"""Talk's are 255 characters of base64; nothing promises that."""


def is_room_token(text: str) -> bool:
    """Say whether it is well-formed."""
    return _ROOM_TOKEN.fullmatch(text) is not None


def is_talk_session(text: str) -> bool:
    """Say whether it may be one: visible ASCII of a sensible length."""
    return _TALK_SESSION.fullmatch(text) is not None


def is_session(text: str) -> bool:
    """Say whether it may be a session of the signaling server: some text of a sensible length."""
    return 0 < len(text) <= MOST_SESSION


def short(identifier: str) -> str:
    """Return the beginning of an identifier, for logs: enough to match, too little to use.

    At most half of it, because Talk's tokens are often no longer than eight characters.
    """
    return f"{identifier[: min(_SHOWN, len(identifier) // 2)]}…"
