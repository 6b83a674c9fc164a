"""Lists of hosts and origins, and texts that must be plain."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.errors import ConfigError
from livebot.settings import load_settings

HOSTS = st.lists(st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9.-]{0,20}", fullmatch=True), max_size=5)


@given(HOSTS, st.sampled_from([",", " , ", ",,"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hosts_are_a_list_or_one_text(hosts: list[str], comma: str) -> None:
    """Both mean the same, in small letters."""
    text, listed = load_settings(turn_hosts=comma.join(hosts)), load_settings(turn_hosts=hosts)

    assert text.turn_hosts == listed.turn_hosts == tuple(host.lower() for host in hosts)


@pytest.mark.parametrize(
    "hosts", ["h:3478", "turn:h", "https://h", "a b", "[1]", '{"a": 1}', 3, [None], ["h"] * 101]
)
def test_what_is_no_host(hosts: object) -> None:
    """A port would never match."""
    with pytest.raises(ConfigError, match="LT_TURN_HOSTS must"):
        load_settings(turn_hosts=hosts)


def test_known_turn_hosts() -> None:
    """Those that are configured anyhow, and those that are added; nothing else.

    Spec: configuration/Hosts of callers.
    """
    found = load_settings(
        hpb_url="wss://HPB.example.com:8443/x",
        nextcloud_url="https://cloud.example.com",
        ice_servers='[{"urls": ["turn:Turn.example.com:1?transport=udp", "stun:s.example.com"]}]',
        turn_hosts="MORE.example.com",
    )

    assert found.allowed_turn_hosts == {
        "hpb.example.com",
        "cloud.example.com",
        "turn.example.com",
        "s.example.com",
        "more.example.com",
    }
    assert load_settings().allowed_turn_hosts == frozenset()


@pytest.mark.parametrize(
    ("origins", "found"),
    [
        ("https://Cloud.example.com/", ("https://cloud.example.com",)),
        ("http://a:8080, https://b", ("http://a:8080", "https://b")),
        (["https://a"], ("https://a",)),
        ('["https://a"]', ("https://a",)),
        ("", ()),
    ],
)
def test_origins(origins: object, found: tuple[str, ...]) -> None:
    """They are as browsers send them."""
    assert load_settings(cors_origins=origins).cors_origins == found


@pytest.mark.parametrize("origins", ["*", "null", "a.example", "https://a/b", "https://u@a", 1])
def test_what_is_no_origin(origins: object) -> None:
    """`*` would let every page in. Spec: configuration/Web pages."""
    with pytest.raises(ConfigError, match="LT_CORS_ORIGINS must"):
        load_settings(cors_origins=origins)


@pytest.mark.parametrize(
    "broken",
    [
        {"internal_secret": "hunter2\n"},
        {"app_secret": "hunter2\udc80"},
        {"modal_key": "hunter2\r\nHost: x"},
        {"hpb_url": "wss://hunter2\n"},
        {"nextcloud_url": "https://hunter2 .example.com"},
    ],
)
def test_what_headers_cannot_carry(broken: dict[str, Any]) -> None:
    """A line break in the variable is told at the start, not in the middle of a call."""
    with pytest.raises(ConfigError, match="must") as found:
        load_settings(**broken)
    assert "hunter2" not in str(found.value)


@pytest.mark.parametrize("language", ["auto", "en", "pt-BR", "deu", "zh-Hant-TW"])
def test_languages(language: str) -> None:
    """A code of any usual form, or the engine's ear."""
    assert load_settings(language=language).language == language


@pytest.mark.parametrize("language", ["English", "e", "en_US", "EN", "automatic", "en-", "en\n"])
def test_what_is_no_language(language: str) -> None:
    """It is told at the start; whether an engine knows it is seen later."""
    with pytest.raises(ConfigError, match="LT_DEFAULT_LANGUAGE"):
        load_settings(language=language)
