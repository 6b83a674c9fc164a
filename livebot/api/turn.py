"""Which STUN and TURN servers a caller may send us to: audio goes through them, and requests."""

from collections.abc import Iterable

from livebot.errors import RequestError
from livebot.settings import IceServer, Settings


def check_hosts(servers: Iterable[IceServer], settings: Settings) -> None:
    """Refuse servers that the administrator does not know.

    Raises:
        RequestError: There is one. The text quotes no URL.
    """
    for number, server in enumerate(servers, 1):
        if settings.caller_turn == "refuse":
            raise RequestError("turnServers: LT_CALLER_TURN lets callers bring none")
        if not server.hosts <= settings.allowed_turn_hosts:
            raise RequestError(
                f"turnServers: server {number} is at a host that is not known here;"
                " add it to LT_TURN_HOSTS"
            )
