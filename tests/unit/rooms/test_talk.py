"""What Talk knows of a call's peers, and how long it is waited for."""

import asyncio

import pytest

from livebot.errors import NextcloudError
from livebot.rooms.talk import ICE_SERVERS_S, found_in_time
from livebot.settings import IceServer

pytestmark = pytest.mark.virtual_time
SERVERS = (IceServer(("stun:a",)),)


@pytest.mark.parametrize(
    ("takes_s", "fault", "found"),
    [
        (0.0, None, SERVERS),
        (ICE_SERVERS_S - 0.1, None, SERVERS),
        (ICE_SERVERS_S + 0.1, None, ()),
        (0.0, NextcloudError("says no"), ()),
    ],
)
async def test_a_peer_does_without_servers_that_nobody_names(
    takes_s: float, fault: Exception | None, found: tuple[IceServer, ...]
) -> None:
    """After a while, and it is told why."""
    faults: list[str] = []

    async def find() -> tuple[IceServer, ...]:
        await asyncio.sleep(takes_s)
        if fault:
            raise fault
        return SERVERS

    assert await found_in_time(find, faults.append) == found
    assert len(faults) == (not found)
