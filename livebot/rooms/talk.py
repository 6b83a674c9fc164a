"""What Talk knows of a call's peers; rooms ask, and whoever builds the service says whom."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from livebot.errors import NextcloudError
from livebot.settings import IceServer


class TalkSettings(Protocol):
    """One backend's signaling settings."""

    async def hpb_url(self) -> str:
        """Return the signaling server's WebSocket; asked before each connection.

        Raises:
            NextcloudError: It cannot be found out now.
        """

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return STUN and TURN servers whose credentials hold; asked before each peer.

        Raises:
            NextcloudError: They cannot be found out now.
        """


@dataclass(frozen=True, slots=True)
class FixedTalkSettings:
    """What the administrator wrote down."""

    url: str
    servers: tuple[IceServer, ...] = ()

    async def hpb_url(self) -> str:
        """Return what was written down."""
        return self.url

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return what was written down."""
        return self.servers


ICE_SERVERS_S = 3.0
"""How long a peer waits to be told of STUN and TURN servers."""


async def found_in_time(
    find: Callable[[], Awaitable[tuple[IceServer, ...]]], on_fault: Callable[[str], None]
) -> tuple[IceServer, ...]:
    """Return the servers; none, after `on_fault`, where nobody says: one may do without."""
    try:
        async with asyncio.timeout(ICE_SERVERS_S):
            return await find()
    except (NextcloudError, TimeoutError) as exc:
        on_fault(f"no STUN and TURN servers: {str(exc) or 'Nextcloud does not answer'}")
        return ()
