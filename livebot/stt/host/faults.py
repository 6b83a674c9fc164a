"""What nobody has foreseen: one part that breaks must not end the others."""

import traceback

import structlog

from livebot.errors import EngineError

log = structlog.get_logger("stt.host")


def unforeseen(what: str, fault: Exception) -> EngineError:
    """Log where it happened; return what to tell those who wait for `what`."""
    # Both without its text, which may hold a path.
    stack = "".join(traceback.format_tb(fault.__traceback__))
    log.error("unforeseen_fault", error=type(fault).__name__, stack=stack)
    reason = (isinstance(fault, OSError) and fault.strerror) or type(fault).__name__
    return EngineError(f"{what} cannot be used ({reason}): the log says where")
