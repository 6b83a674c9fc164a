"""What Talk knows of a call's peers; rooms ask, and whoever builds the service says whom."""

from dataclasses import dataclass
from typing import Protocol

from livebot.settings import IceServer


class TalkSettings(Protocol):
    """One backend's signaling settings."""

    async def hpb_url(self) -> str:
        """Return the signaling server's WebSocket, `wss://.../spreed`; asked before each connection.

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
