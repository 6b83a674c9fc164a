"""Who asks Nextcloud, as the settings say; how it asks is in the integration tests."""

import base64
from typing import Any

import pytest

from livebot.metrics import Metrics
from livebot.nextcloud.client import Nextcloud
from livebot.nextcloud.talk import TalkSettings
from livebot.settings import IceServer, Settings, load_settings

SERVERS = (IceServer(("stun:own.example.com:3478",)),)


def settings(**changes: object) -> Settings:
    """Return the settings of an app."""
    values: dict[str, Any] = {
        "app_id": "live_transcription",
        "app_version": "1.2.3",
        "aa_version": "33.0.0",
        "app_secret": "app-secret",
        "nextcloud_url": "https://cloud.example.com",
        "hpb_url": None,
        "ice_servers": (),
        **changes,
    }
    return load_settings(**values)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://cloud.example.com", "https://cloud.example.com"),
        ("https://cloud.example.com/", "https://cloud.example.com"),
        ("https://cloud.example.com/nc/index.php", "https://cloud.example.com/nc"),
        ("https://cloud.example.com/index.php/", "https://cloud.example.com"),
    ],
)
def test_address(url: str, base: str) -> None:
    """AppAPI may give it with the script's name, or below a path."""
    assert Nextcloud.of(settings(nextcloud_url=url), Metrics())._base == base


def test_headers() -> None:
    """They are AppAPI's; no user is named, and each question has an id of its own."""
    nextcloud = Nextcloud.of(settings(), Metrics())

    one, two = nextcloud._fresh_headers(), nextcloud._fresh_headers()

    assert one["EX-APP-ID"] == "live_transcription"
    assert (one["EX-APP-VERSION"], one["AA-VERSION"]) == ("1.2.3", "33.0.0")
    assert base64.b64decode(one["AUTHORIZATION-APP-API"]) == b":app-secret"
    assert one["AA-REQUEST-ID"] != two["AA-REQUEST-ID"]


@pytest.fixture
def written_down() -> Settings:
    """Return settings that leave nothing to ask; made before the loop runs."""
    return settings(hpb_url="https://hpb.example.com/signaling", ice_servers=SERVERS)


async def test_settings_of_talk_that_are_written_down(written_down: Settings) -> None:
    """An address in any form is that of the WebSocket."""
    talk = TalkSettings.of(written_down, Nextcloud.of(written_down, Metrics()))

    assert await talk.hpb_url() == "wss://hpb.example.com/signaling/spreed"
    assert await talk.ice_servers() == SERVERS
