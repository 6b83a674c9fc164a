"""What follows from the settings."""

from typing import Any

import pytest

from livebot.errors import ConfigError
from livebot.settings import load_settings

CALL: dict[str, Any] = {"hpb_url": "wss://hpb.example.com", "internal_secret": "s"}


def test_a_call_needs_little() -> None:
    """The server's address and secret suffice. Spec: configuration/Requirements by purpose."""
    load_settings(for_call=True, **CALL).require_call()


def test_other_purposes_need_nothing() -> None:
    """No setting at all is a valid start. Spec: configuration/Requirements by purpose."""
    with pytest.raises(ConfigError, match="LT_HPB_URL"):
        load_settings().require_call()


@pytest.mark.parametrize(
    ("hpb", "socket", "backend"),
    [
        ("wss://h.example.com", "wss://h.example.com/spreed", "https://h.example.com/"),
        ("http://h:8081/", "ws://h:8081/spreed", "http://h:8081/"),
        (
            "https://h/standalone-signaling",
            "wss://h/standalone-signaling/spreed",
            "https://h/",
        ),
        (
            "wss://h/cloud/standalone-signaling/spreed/",
            "wss://h/cloud/standalone-signaling/spreed",
            "https://h/cloud/",
        ),
        ("ws://h/spreed", "ws://h/spreed", "http://h/"),
    ],
)
def test_urls_of_the_signaling_server(hpb: str, socket: str, backend: str) -> None:
    """Its WebSocket and the guessed Nextcloud. Spec: configuration/Nextcloud address."""
    found = load_settings(hpb_url=hpb)

    assert (found.hpb_socket_url, found.backend_url) == (socket, backend)
    assert found.backend_derived


@pytest.mark.parametrize("end", ["", "/", "/index.php", "/index.php/"])
def test_nextcloud_url_is_taken_as_it_is(end: str) -> None:
    """A set address is not guessed at; a slash ends it. Spec: configuration/Nextcloud address."""
    found = load_settings(**CALL, nextcloud_url=f"https://cloud.example.com/nc{end}")

    assert found.backend_url == "https://cloud.example.com/nc/"
    assert not found.backend_derived
