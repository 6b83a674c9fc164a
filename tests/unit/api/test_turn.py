"""Which STUN and TURN servers a caller may name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api.turn import check_hosts
from livebot.errors import RequestError
from livebot.settings import Settings, load_settings, parse_ice_servers

HOSTS = st.from_regex(r"[A-Za-z0-9_-]{1,20}(\.[a-z]{2,5})?", fullmatch=True)
URLS = st.builds(
    "{}:{}{}{}".format,
    st.sampled_from(["stun", "stuns", "turn", "turns"]),
    HOSTS,
    st.sampled_from(["", ":3478", ":1"]),
    st.sampled_from(["", "?transport=udp", "?transport=tcp"]),
)


def settings(**values: Any) -> Settings:
    """Return settings that know the host `turn.example`."""
    return load_settings(
        **{"turn_hosts": "turn.example", "hpb_url": "wss://hpb.example", **values}
    )


def check(known: Settings, *urls: str) -> None:
    """Check the servers at these URLs."""
    check_hosts(parse_ice_servers([{"urls": list(urls), "credential": "hunter2"}]), known)


@pytest.mark.parametrize(
    "url",
    ["turn:turn.example:3478", "turns:TURN.example?transport=tcp", "stun:hpb.example:443"],
)
def test_known_hosts(url: str) -> None:
    """Those of the settings, however they are written. Spec: room-control/TURN servers."""
    check(settings(), url)


@given(URLS, st.integers(min_value=0, max_value=3))
def test_an_unknown_host_is_found_among_known_ones(url: str, at: int) -> None:
    """Wherever it stands; the text has neither URL nor credential.

    Spec: room-control/TURN servers.
    """
    urls = ["turn:turn.example:3478"] * 3
    urls.insert(at, url)

    with pytest.raises(RequestError, match="LT_TURN_HOSTS") as caught:
        check(KNOWN, *urls)
    assert "example" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_callers_may_be_allowed_none() -> None:
    """By option. Spec: room-control/TURN servers."""
    refusing = settings(caller_turn="refuse")

    check_hosts([], refusing)
    with pytest.raises(RequestError, match="LT_CALLER_TURN"):
        check(refusing, "turn:turn.example:3478")


KNOWN = settings()
