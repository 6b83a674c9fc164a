"""Talk's signaling settings, as its web client gets them (pure).

`signalingMode`, `server`, `stunservers: [{urls}]`, `turnservers: [{urls, username, credential}]`
(nextcloud/spreed, SignalingController). TURN user names are `<Unix time of expiry>:<random>`
where Talk made them; a name of another form is an account that does not expire.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from livebot.errors import NextcloudError
from livebot.settings import IceServer, parse_ice_servers
from livebot.settings.urls import check, hpb_socket

MOST_FRESH_S = 600.0
"""Settings are asked for again after this, so that what an administrator changes is seen."""

MOST_HOLDS_S = 86_400.0
"""Without Nextcloud, settings are used for no longer than this."""

MARGIN_S = 60.0
"""Credentials that expire so soon are of no use: a peer takes time to connect."""

CLOCKS_DIFFER_S = 300.0
"""How long credentials count as good where this machine cannot tell."""

MOST_SERVERS = 32
"""More are not even looked at: an answer can hold a million, and others wait meanwhile."""

_MADE_BY_TALK = re.compile(r"(\d{9,11}):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SignalingSettings:
    """What rooms need to know.

    Attributes:
        hpb_url: The signaling server's WebSocket; empty where Talk has none.
        ice_servers: STUN and TURN.
        left_s: How long the first credential to expire is good, seen from when it was read.
        unusable: How many servers are of a kind that cannot be used.
    """

    hpb_url: str
    ice_servers: tuple[IceServer, ...]
    left_s: float
    unusable: int = 0

    @property
    def fresh_s(self) -> float:
        """For how long nobody needs to ask again: half of the credentials' time is kept back."""
        return min(MOST_FRESH_S, self.left_s / 2)

    @property
    def holds_s(self) -> float:
        """For how long they can be used."""
        return max(self.fresh_s, self.left_s - MARGIN_S)


def parse(data: object, now: float) -> SignalingSettings:
    """Read the settings.

    Args:
        data: Of Nextcloud's answer.
        now: Unix time, to see when credentials expire.

    Raises:
        NextcloudError: They are none.
    """
    match data:
        case {"server": str(server), "signalingMode": str(mode), **rest}:
            pass
        case _:
            raise NextcloudError("Talk's signaling settings are not understood. Update Talk.")
    url = "" if mode == "internal" or not server else _hpb_url(server)
    found = [*_each(rest.get("stunservers")), *_each(rest.get("turnservers"))]
    servers = tuple(server for server in found if server is not None)[:MOST_SERVERS]
    left_s = min((_left_s(server, now) for server in servers), default=MOST_HOLDS_S)
    return SignalingSettings(url, servers, left_s, unusable=len(found) - len(servers))


def _hpb_url(server: str) -> str:
    try:
        return hpb_socket(check(server, "ws", "wss", "http", "https"))
    except ValueError as exc:
        raise NextcloudError(
            f"The signaling server in Talk's settings {exc}. Correct it there, or set LT_HPB_URL."
        ) from None


def _each(servers: object) -> Iterator[IceServer | None]:
    """Yield the servers of a list, None for those which cannot be used: the others still can."""
    for server in servers[:MOST_SERVERS] if isinstance(servers, list) else ():
        if isinstance(server, dict) and server.get("urls", server.get("url")) in ([], ""):
            continue  # Talk's list of STUN servers is empty where there is no internet.
        try:
            yield from parse_ice_servers([server])
        except ValueError:
            yield None


def _left_s(server: IceServer, now: float) -> float:
    """Return how long a server's credential is good.

    They are good for a day when they come. Where they seem to be expired, or good for much
    longer than that, this machine's clock is not Nextcloud's.
    """
    made = _MADE_BY_TALK.fullmatch(server.username or "")
    if made is None:
        return MOST_HOLDS_S
    left_s = int(made[1]) - now
    if not 2 * MARGIN_S < left_s < 2 * MOST_HOLDS_S:
        return CLOCKS_DIFFER_S
    return min(left_s, MOST_HOLDS_S)
