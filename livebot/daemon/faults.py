"""Why a request or a stream ended without what was asked for."""

import traceback

from livebot import logs

log = logs.get("daemon")

CANCELED = "canceled"
STOPPING = "the daemon is stopping: ask the next one"
BROKEN = "the daemon made a mistake: its log on stderr says which"


def noted(fault: Exception) -> str:
    """Log a mistake of ours; return what to tell the client, whose neighbours go on."""
    # Without its text, which may hold a path, or what was said.
    stack = "".join(traceback.format_tb(fault.__traceback__))
    log.error("mistake_made", error=type(fault).__name__, stack=stack)
    return BROKEN
