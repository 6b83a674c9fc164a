"""Where a room's signaling server is and which STUN and TURN servers there are: asked of Talk."""

import time
from collections.abc import Callable
from typing import Self

import structlog

from livebot.errors import NextcloudError
from livebot.nextcloud.cache import Cache, Kept
from livebot.nextcloud.client import Ocs
from livebot.nextcloud.signaling_settings import SignalingSettings, parse
from livebot.settings import IceServer, Settings

log = structlog.get_logger("nextcloud")

PATH = "/ocs/v2.php/apps/spreed/api/v3/signaling/settings"

WITHIN_S = 3.0
ASK_WITHIN_S = 2.9
"""How long a peer waits, and the deadline of one question."""


class TalkSettings:
    """Implements `rooms.talk.TalkSettings`; what the administrator wrote down wins.

    Talk tells its app `live_transcription` these settings without a room (spreed #17736).

    Args:
        nextcloud: Who is asked.
        hpb_url: The signaling server's WebSocket, where it is written down.
        ice_servers: STUN and TURN servers, where they are written down.
        clock: Unix time.
    """

    def __init__(
        self,
        nextcloud: Ocs,
        *,
        hpb_url: str | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._nextcloud = nextcloud
        self._hpb_url = hpb_url
        self._ice_servers = ice_servers
        self._clock = clock
        self._cache = Cache(self._fetch, "signaling settings", WITHIN_S)

    @classmethod
    def of(cls, settings: Settings, nextcloud: Ocs) -> Self:
        """Return what Talk says where one backend's settings say nothing."""
        url = settings.hpb_socket_url if settings.hpb_url else None
        return cls(nextcloud, hpb_url=url, ice_servers=settings.ice_servers)

    async def hpb_url(self) -> str:
        """Return the signaling server's WebSocket, `wss://.../spreed`.

        Raises:
            NextcloudError: It cannot be found out now, or Talk has none.
        """
        found = self._hpb_url or (await self._cache.get()).hpb_url
        if not found:
            raise NextcloudError(
                "Talk has no signaling server (High-performance backend). Enter one in Talk's"
                " administration settings, or set LT_HPB_URL; captions cannot do without."
            )
        return found

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return STUN and TURN servers whose credentials hold.

        Raises:
            NextcloudError: They cannot be found out now.
        """
        return self._ice_servers or (await self._cache.get()).ice_servers

    async def _fetch(self) -> Kept[SignalingSettings]:
        found = parse(
            await self._nextcloud.ask("GET", PATH, within_s=ASK_WITHIN_S),
            self._clock(),
        )
        if found.unusable:
            log.warning("ice_servers_not_understood", servers=found.unusable)
        return Kept(found, found.fresh_s, found.holds_s)
