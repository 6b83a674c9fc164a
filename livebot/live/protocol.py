"""The native messages of `/ws/transcribe` besides events (pure). See `deploy/live.md`."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from livebot.errors import (
    BusyError,
    LivebotError,
    NotFoundError,
    QuotaError,
    RequestError,
    StoreError,
    UnsupportedLanguageError,
)

MOST_TEXT: Final = 4096
"""Characters of a text message that are looked at; none needs a hundred."""


class Finalize(Struct, frozen=True, tag="finalize", tag_field="type"):
    """Complete what was said so far."""


class Keepalive(Struct, frozen=True, tag="keepalive", tag_field="type"):
    """I am there, though I send no audio."""


class Close(Struct, frozen=True, tag="close", tag_field="type"):
    """No more audio comes; tell the last words."""


class Position(Struct, frozen=True, tag="position", tag_field="type"):
    """The next audio begins there, in seconds of the session's time line."""

    seconds: float


Command: TypeAlias = Finalize | Keepalive | Close | Position

_decoder = msgspec.json.Decoder(Finalize | Keepalive | Close | Position)


def command(text: str) -> Command:
    """Read a client's text message.

    Raises:
        RequestError: It is none of ours.
    """
    try:
        found: Command = _decoder.decode(text[: MOST_TEXT + 1])
    except msgspec.DecodeError:
        raise RequestError(
            'a text message is {"type": "finalize"}, "keepalive", "close",'
            ' or {"type": "position", "seconds": ...}'
        ) from None
    return found


class Asked(Struct, frozen=True):
    """Which session a client asks for: a new one where `session` is empty."""

    session: str
    after: int


def asked(query: Mapping[str, str]) -> Asked:
    """Read which session is asked for.

    Raises:
        RequestError: That is no number.
    """
    after = query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 16):  # noqa: PLR2004 - enough
        raise RequestError("after must be the number of the last event you have, or 0")
    return Asked(query.get("session", ""), int(after))


def ready(
    session: str, *, seq: int, position: float, epoch: float, resume_s: float
) -> dict[str, Any]:
    """Return what a client is told first."""
    return {
        "type": "ready",
        "session": session,
        "seq": seq,
        "position": round(position, 6),
        "epoch": round(epoch, 3),
        "resume_s": resume_s,
    }


class Goodbye(Struct, frozen=True):
    """How a conversation ends: the code it is closed with, and what is told before."""

    code: int
    message: dict[str, Any]


IDLE: Final = Goodbye(
    4408,
    {
        "type": "error",
        "code": "idle",
        "message": "no audio and no keepalive came for too long; resume the session to go on",
    },
)
REPLACED: Final = Goodbye(
    4409,
    {
        "type": "error",
        "code": "replaced",
        "message": "another connection goes on with this session",
    },
)

FINISHED, RESTART = 1000, 1012
"""The service stops: come back to the same session in a moment."""

_ERRORS: Final[tuple[tuple[type[LivebotError], int, str], ...]] = (
    (UnsupportedLanguageError, 4400, "unsupported_language"),
    (RequestError, 4400, "bad_request"),
    (NotFoundError, 4404, "not_found"),
    (QuotaError, 4429, "quota"),
    (BusyError, 4503, "busy"),
    (StoreError, 4503, "busy"),
)


def refusal(error: LivebotError) -> Goodbye:
    """Return how a conversation ends by an error."""
    for kind, code, name in _ERRORS:
        if isinstance(error, kind):
            return Goodbye(code, {"type": "error", "code": name, "message": str(error)})
    return Goodbye(1011, {"type": "error", "code": "internal", "message": "internal error"})


def closed(seq: int, reason: str) -> Goodbye:
    """Return how it ends when all was told; `reason` is `finished`, `time` or `restart`."""
    code = RESTART if reason == "restart" else FINISHED
    return Goodbye(code, {"type": "closed", "seq": seq, "reason": reason})
