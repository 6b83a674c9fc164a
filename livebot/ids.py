"""Identifiers as types of their own, so that swapped ones do not type-check."""

from typing import NewType

RoomToken = NewType("RoomToken", str)
"""The token of a Talk conversation, which is also the id of its room on the signaling server."""

SessionId = NewType("SessionId", str)
"""A *public* session id of the signaling server: what other sessions see and address."""

_SHOWN = 6


def short(identifier: str) -> str:
    """Return the first characters of an identifier, for logs: enough to match, too few to use."""
    return identifier if len(identifier) <= _SHOWN else f"{identifier[:_SHOWN]}…"
