"""How far a room's conversation can have come, and what may follow what."""

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """How far the conversation has come."""

    DISCONNECTED = auto()
    RESUMING = auto()
    HELLO_SENT = auto()
    JOINING = auto()
    IN_ROOM = auto()
    PUT_OUT = auto()
    """The room was closed, or we were put out of it; the socket is still there."""
    LEAVING = auto()
    CLOSED = auto()


_ANY_TIME = frozenset({State.DISCONNECTED, State.LEAVING, State.CLOSED})
"""What may come upon a conversation on a socket, whatever its state."""

LEGAL: Mapping[State, frozenset[State]] = {
    State.DISCONNECTED: frozenset({State.RESUMING, State.HELLO_SENT, State.CLOSED}),
    State.RESUMING: _ANY_TIME | {State.IN_ROOM, State.HELLO_SENT},
    State.HELLO_SENT: _ANY_TIME | {State.JOINING},
    State.JOINING: _ANY_TIME | {State.JOINING, State.IN_ROOM, State.PUT_OUT},
    State.IN_ROOM: _ANY_TIME | {State.JOINING, State.PUT_OUT},
    State.PUT_OUT: frozenset({State.LEAVING, State.CLOSED}),
    State.LEAVING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}
