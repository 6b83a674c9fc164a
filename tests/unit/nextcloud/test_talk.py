"""What rooms learn of Talk."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from livebot.errors import NextcloudError
from livebot.nextcloud.talk import WITHIN_S, TalkSettings
from livebot.rooms import talk
from livebot.settings import IceServer
from tests.unit.nextcloud.scripted import ScriptedOcs
from tests.unit.nextcloud.test_signaling_settings import NOW, talks, turn

if TYPE_CHECKING:
    _: type[talk.TalkSettings] = TalkSettings

DAY_S = 86_400
OWN = (IceServer(("stun:own.example.com:3478",)),)


class Clock:
    """Unix time that goes with the loop's."""

    def __call__(self) -> float:
        """Return the time."""
        return NOW + asyncio.get_running_loop().time()


def answers() -> ScriptedOcs:
    """Return a Nextcloud whose credentials are new each time, and good for an hour."""

    def answer(_method: str, _path: str, _body: object) -> object:
        return talks(turnservers=[turn(f"{int(Clock()()) + 3600}:x")])

    return ScriptedOcs(answer)


@pytest.mark.virtual_time
async def test_credentials_are_renewed_before_a_peer() -> None:
    """Whenever a peer asks, its credentials are good for at least half an hour."""
    nextcloud = answers()
    settings = TalkSettings(nextcloud, clock=Clock())

    for _ in range(100):
        await asyncio.sleep(173)
        servers = await settings.ice_servers()
        expires = int((servers[1].username or "").partition(":")[0])
        assert expires - Clock()() >= 1800

    assert nextcloud.count("GET", "/signaling/settings") <= 100 * 173 / 600 + 1


@pytest.mark.virtual_time
async def test_old_settings_while_nextcloud_is_away() -> None:
    """They are used as long as their credentials hold, and no longer."""
    nextcloud = answers()
    settings = TalkSettings(nextcloud, clock=Clock())
    url = await settings.hpb_url()

    def away(_method: str, _path: str, _body: object) -> object:
        raise NextcloudError("Nextcloud is away")

    nextcloud.answer = away
    await asyncio.sleep(3600 - 60 - 1)
    assert await settings.hpb_url() == url
    assert await settings.ice_servers()
    await asyncio.sleep(1)

    with pytest.raises(NextcloudError, match="away"):
        await settings.ice_servers()


@pytest.mark.virtual_time
async def test_slow_nextcloud_delays_nobody_for_long() -> None:
    """With settings that hold, a peer waits for three seconds at most, and then not again."""
    nextcloud = answers()
    settings = TalkSettings(nextcloud, clock=Clock())
    await settings.ice_servers()
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1200)
    nextcloud.takes_s = 100.0

    begun = loop.time()
    assert await settings.ice_servers()

    assert loop.time() - begun <= WITHIN_S


async def test_what_is_written_down_wins() -> None:
    """Nextcloud is not even asked."""
    nextcloud = answers()
    settings = TalkSettings(nextcloud, hpb_url="wss://own.example.com/spreed", ice_servers=OWN)

    assert await settings.hpb_url() == "wss://own.example.com/spreed"
    assert await settings.ice_servers() == OWN
    assert not nextcloud.asked


@pytest.mark.virtual_time
async def test_half_written_down() -> None:
    """What is not is asked for."""
    settings = TalkSettings(answers(), ice_servers=OWN, clock=Clock())

    assert await settings.hpb_url() == "wss://hpb.example.com/standalone-signaling/spreed"
    assert await settings.ice_servers() == OWN


@pytest.mark.virtual_time
async def test_talk_without_signaling_server() -> None:
    """The fault says what captions need. Spec: nextcloud/Talk's settings."""
    nextcloud = ScriptedOcs(lambda _m, _p, _b: talks(signalingMode="internal", server=""))
    settings = TalkSettings(nextcloud, clock=Clock())

    with pytest.raises(NextcloudError, match="High-performance backend"):
        await settings.hpb_url()
