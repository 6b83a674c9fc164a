"""What the server's refusals mean: begin anew soon, much later, or not at all.

The server remembers failed hellos per address and locks the address out after ten of them
in half an hour, so what cannot succeed is never repeated.
"""

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.signaling.messages import ErrorReply

TOO_MANY_REQUESTS = "too_many_requests"

_FATAL_HELLO = frozenset(
    {"invalid_token", "invalid_client_type", "invalid_backend", "invalid_hello_version"}
)
"""The same hello would be refused again, and some of these count as an attack."""

_FATAL_JOIN = frozenset({"no_such_room", "not_allowed"})

_TAKEN_OVER = "session_resumed"
"""Of bye: somebody else, who knows our resume id, has the session now."""

_MOST_WORDS = 200
"""Characters of the server's own words that are shown."""


class SignalingThrottledError(SignalingError):
    """The server has locked out our address; connecting again soon would keep it so."""


def words(text: str) -> str:
    """Return what the server says, fit for a line of the log: short and printable."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_WORDS])


def of_hello(error: ErrorReply) -> SignalingError:
    """Say what a refused hello means."""
    if error.code in _FATAL_HELLO:
        return SignalingRefusedError(error.code, words(error.message))
    if error.code == TOO_MANY_REQUESTS:
        return SignalingThrottledError(
            f"{TOO_MANY_REQUESTS}: the signaling server has locked out our address after too"
            " many failed attempts; it is tried again in some minutes"
        )
    return SignalingError(f"hello failed: {words(error.code)}")


def of_join(error: ErrorReply) -> SignalingError:
    """Say what it means that the room could not be joined."""
    if error.code in _FATAL_JOIN:
        return SignalingRefusedError(error.code, words(error.message))
    return SignalingError(f"joining failed: {words(error.code)}")


def of_bye(reason: str) -> SignalingError:
    """Say what it means that the server ends the session."""
    if reason == _TAKEN_OVER:
        return SignalingRefusedError(reason, "the session lives on elsewhere")
    return SignalingError(f"the server said bye: {words(reason) or 'no reason'}")
