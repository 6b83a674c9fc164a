"""Which STUN and TURN servers a peer may use.

aiortc takes only the first STUN and the first TURN URL of the whole list, and an empty
list must be given as such: without one it asks a public server.
"""

from collections.abc import Sequence
from enum import StrEnum

from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from livebot.settings import IceServer


class IcePolicy(StrEnum):
    """Which ways to the media server are allowed."""

    ALL = "all"
    RELAY = "relay"


def configuration(servers: Sequence[IceServer], policy: IcePolicy) -> RTCConfiguration:
    """Return aiortc's configuration with exactly these servers, none of its own."""
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(
                urls=list(server.urls), username=server.username, credential=server.credential
            )
            for server in servers
        ],
        iceTransportPolicy=RTCIceTransportPolicy(policy.value),
    )
