"""Lists of STUN and TURN servers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.settings import IceServer, parse_ice_servers

URL = st.from_regex(r"(stuns?|turns?):[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?", fullmatch=True)
TEXT = st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10)
SERVER = st.fixed_dictionaries(
    {"urls": URL | st.lists(URL, min_size=1, max_size=4)},
    optional={"username": TEXT, "credential": TEXT},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["urls", "url", "username", "credential"]), inner)
    ),
)


@given(st.lists(SERVER, max_size=5))
def test_good_lists_are_read(servers: list[dict[str, Any]]) -> None:
    """Each server keeps its URLs, user and credential."""
    found = parse_ice_servers(servers)

    assert len(found) == len(servers)
    for one, server in zip(found, servers, strict=True):
        urls = server["urls"]
        assert list(one.urls) == ([urls] if isinstance(urls, str) else urls)
        assert (one.username, one.credential) == (
            server.get("username"),
            server.get("credential"),
        )


@given(JSON)
def test_anything_else_is_refused(value: object) -> None:
    """Whatever comes, servers or a `ValueError` come out."""
    try:
        found = parse_ice_servers(value)
    except ValueError:
        return
    assert all(server.urls for server in found)


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "turn:",
        "turn:h:0",
        "turn:h:65536",
        "turn:h?transport=sctp",
        "turn:u@h",
        "turn:[::1]:3478",
        "stun:h\n",
        "",
    ],
)
def test_bad_urls(url: str) -> None:
    """What the media stack would stumble over does not get in."""
    with pytest.raises(ValueError, match="server 1 has a URL"):
        parse_ice_servers([{"urls": ["turn:h", url]}])


def test_old_key_and_bounds() -> None:
    """`url` is understood; floods are not."""
    assert parse_ice_servers([{"url": "stun:h:3478"}])[0].urls == ("stun:h:3478",)
    with pytest.raises(ValueError, match="more than 32"):
        parse_ice_servers([{"urls": "stun:h"}] * 33)
    with pytest.raises(ValueError, match="1 to 16"):
        parse_ice_servers([{"urls": ["stun:h"] * 17}])


def test_stun_has_no_transport() -> None:
    """Some write one all the same; the media stack would refuse every call."""
    found = parse_ice_servers([{"urls": ["stun:h:1?transport=udp", "turn:h:1?transport=tcp"]}])

    assert found[0].urls == ("stun:h:1", "turn:h:1?transport=tcp")


@pytest.mark.parametrize("text", ["u" * 509, "ü" * 255, "\ud800", "a\nb", "\0"])
@pytest.mark.parametrize("key", ["username", "credential"])
def test_texts_that_turn_cannot_carry(key: str, text: str) -> None:
    """They would fail only in the middle of a call."""
    with pytest.raises(ValueError, match=key):
        parse_ice_servers([{"urls": "turn:h", key: text}])


def test_credential_has_no_repr() -> None:
    """A credential is not printed."""
    assert "hunter2" not in repr(IceServer(("turn:h",), "u", "hunter2"))


def test_hosts() -> None:
    """Where the addresses lead, whatever else they say."""
    urls = ["stun:A.example", "turn:b.example:3478?transport=udp", "turns:B.example?transport=tcp"]

    (found,) = parse_ice_servers([{"urls": urls}])

    assert found.hosts == {"a.example", "b.example"}
