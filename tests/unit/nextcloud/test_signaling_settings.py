"""Talk's signaling settings."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import NextcloudError
from livebot.nextcloud.signaling_settings import (
    MARGIN_S,
    MOST_FRESH_S,
    MOST_HOLDS_S,
    MOST_SERVERS,
    parse,
)

NOW = 1_800_000_000.0


def talks(**changes: object) -> dict[str, Any]:
    """Return settings as Talk writes them."""
    return {
        "signalingMode": "external",
        "server": "https://hpb.example.com/standalone-signaling/",
        "stunservers": [{"urls": ["stun:stun.example.com:443"]}],
        "turnservers": [],
        **changes,
    }


def turn(username: str) -> dict[str, object]:
    """Return a TURN server as Talk writes it."""
    urls = ["turn:turn.example.com:3478?transport=udp", "turn:turn.example.com:3478?transport=tcp"]
    return {"urls": urls, "username": username, "credential": "top-secret"}


def test_settings_of_talk() -> None:
    """Address and servers as rooms need them."""
    found = parse(talks(turnservers=[turn(f"{int(NOW) + 86_400}:x")]), NOW)

    assert found.hpb_url == "wss://hpb.example.com/standalone-signaling/spreed"
    assert [server.urls[0] for server in found.ice_servers] == [
        "stun:stun.example.com:443",
        "turn:turn.example.com:3478?transport=udp",
    ]
    assert found.ice_servers[1].credential == "top-secret"
    assert "top-secret" not in repr(found)


@given(st.lists(st.integers(-(2 * 86_400), 3 * 86_400), max_size=4))
def test_no_credential_outlives_itself(lives_s: list[int]) -> None:
    """Settings are renewed in time, and used no longer than the first credential is good."""
    found = parse(talks(turnservers=[turn(f"{int(NOW) + life_s}:x") for life_s in lives_s]), NOW)

    assert 0 < found.fresh_s <= found.holds_s <= MOST_HOLDS_S
    assert found.fresh_s <= MOST_FRESH_S
    # A shorter life than that means that the clocks differ: they were good when they came.
    good = [life_s for life_s in lives_s if life_s > 2 * MARGIN_S]
    if good and len(good) == len(lives_s):
        assert found.holds_s <= min(good) - MARGIN_S
        assert found.fresh_s <= min(good) / 2


@pytest.mark.parametrize("username", ["account", "123:x", "", "99999999999999:x"])
def test_account_does_not_expire(username: str) -> None:
    """Only names that Talk made say when they end."""
    assert parse(talks(turnservers=[turn(username)]), NOW).left_s == MOST_HOLDS_S


@pytest.mark.parametrize("changes", [{"signalingMode": "internal"}, {"server": ""}])
def test_no_signaling_server(changes: dict[str, object]) -> None:
    """Talk can be without one; its servers are known all the same."""
    found = parse(talks(**changes), NOW)

    assert found.hpb_url == ""
    assert found.ice_servers


def test_what_cannot_be_used_is_left_out() -> None:
    """One bad server spoils no other; an empty list of addresses is none."""
    servers = [{"urls": []}, {"urls": ["stun:[2001:db8::1]:443"]}, "x", {"urls": ["stun:b:1"]}]

    found = parse(talks(stunservers=servers), NOW)

    assert [server.urls for server in found.ice_servers] == [("stun:b:1",)]
    assert found.unusable == 2


def test_servers_are_bounded() -> None:
    """Nobody connects to a thousand."""
    found = parse(talks(stunservers=[{"urls": [f"stun:s{n}:1"]} for n in range(1000)]), NOW)

    assert len(found.ice_servers) == MOST_SERVERS


def test_a_million_servers_take_no_time() -> None:
    """Seconds in which nobody is served are not Nextcloud's to take."""
    begin = time.perf_counter()
    found = parse(talks(stunservers=[{}] * 1_000_000, turnservers=[{}] * 1_000_000), NOW)

    assert time.perf_counter() - begin < 1.5
    assert found.unusable == 2 * MOST_SERVERS


@pytest.mark.parametrize("server", ["file:///etc/passwd", "hpb.example.com", "wss://u:p@hpb"])
def test_address_that_is_none(server: str) -> None:
    """The fault says where to correct it, and quotes nothing."""
    with pytest.raises(NextcloudError, match="Talk's settings") as found:
        parse(talks(server=server), NOW)

    assert server not in str(found.value)


VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.sampled_from(["stun:a:1", "turn:b:2"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["urls", "username", "credential"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["signalingMode", "server", "stunservers", "turnservers"]), VALUES
    )
    | VALUES
)
def test_only_documented_faults(data: object) -> None:
    """Right keys with wrong values are settings, or a NextcloudError."""
    try:
        found = parse(data, NOW)
    except NextcloudError:
        return
    assert found.fresh_s <= found.holds_s
