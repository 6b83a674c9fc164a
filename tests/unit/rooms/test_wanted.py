"""Tests of `livebot.rooms.wanted`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.ids import RoomToken, TalkSessionId
from livebot.rooms.keeping import AS_SET, Keeping
from livebot.rooms.readers import MOST_READERS, Wish
from livebot.rooms.wanted import VERSION, WantedRoom, decode, encode
from livebot.settings import IceServer

servers = st.builds(
    IceServer,
    urls=st.lists(
        st.sampled_from(["stun:a.b:1", "turn:a.b:3478?transport=udp", "turns:a"]),
        min_size=1,
        max_size=4,
    ).map(tuple),
    username=st.none() | st.just("ü"),
    credential=st.none() | st.just("hunter2"),
)
rooms = st.builds(
    WantedRoom,
    token=st.from_regex(r"[a-z0-9]{4,30}", fullmatch=True).map(RoomToken),
    language=st.sampled_from(["en", "fr"]),
    ice_servers=st.lists(servers, max_size=3).map(tuple),
    owner=st.text(max_size=8),
    everybody=st.booleans(),
    readers=st.dictionaries(
        st.from_regex(r"[!-~]{1,512}", fullmatch=True).map(TalkSessionId),
        st.builds(
            Wish,
            st.none() | st.sampled_from(("append", "replace")),
            st.none() | st.sampled_from(["fr", "pt-BR"]),
        ),
        max_size=3,
    ),
    keeping=st.builds(Keeping, st.none() | st.booleans(), st.none() | st.booleans()),
)

ROOM = {"token": "abcd", "language": "en", "ice_servers": []}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "rooms", "token", "language", "ice_servers", "urls"]),
            inner,
        )
    ),
)


@given(st.lists(rooms, max_size=4).map(tuple))
def test_what_is_written_can_be_read(wanted: tuple[WantedRoom, ...]) -> None:
    """Nothing of what was asked for is lost on the way."""
    assert decode(encode(wanted)) == wanted


@given(st.binary(max_size=64) | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused(data: bytes) -> None:
    """Whatever the bytes are, they are rooms or a `ValueError`."""
    try:
        found = decode(data)
    except ValueError:
        return
    assert all(isinstance(room, WantedRoom) for room in found)


@given(st.lists(rooms, min_size=1, max_size=3).map(tuple), st.data())
def test_half_a_file_is_refused(wanted: tuple[WantedRoom, ...], data: st.DataObject) -> None:
    """What breaks off in the middle is not read as fewer rooms."""
    whole = encode(wanted)

    with pytest.raises(ValueError, match="JSON"):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([ROOM], "version"),
        ({"rooms": [ROOM]}, "version"),
        ({"version": VERSION + 1, "rooms": [ROOM]}, "version"),
        ({"version": VERSION, "rooms": {}}, "list"),
        ({"version": VERSION, "rooms": ["abcd"]}, "no room"),
        ({"version": VERSION, "rooms": [ROOM, ROOM | {"token": "../hunter2"}]}, "no room"),
        ({"version": VERSION, "rooms": [ROOM | {"language": 1}]}, "no room"),
        ({"version": VERSION, "rooms": [ROOM | {"keeping": {"words": "yes"}}]}, "kept"),
        ({"version": VERSION, "rooms": [ROOM | {"keeping": []}]}, "kept"),
        ({"version": VERSION, "rooms": [ROOM | {"ice_servers": ["hunter2"]}]}, "object"),
        ({"version": VERSION, "rooms": [ROOM | {"ice_servers": [{"urls": "hunter2"}]}]}, "URL"),
        ({"version": VERSION, "rooms": [ROOM | {"owner": ["hunter2"]}]}, "owner"),
        ({"version": VERSION, "rooms": [ROOM | {"readers": ["hunter2"]}]}, "reader"),
        ({"version": VERSION, "rooms": [ROOM | {"readers": {"hunter2 ": {}}}]}, "reader"),
        (
            {"version": VERSION, "rooms": [ROOM | {"readers": {"a": {"mode": "hunter2"}}}]},
            "reader",
        ),
        (
            {
                "version": VERSION,
                "rooms": [ROOM | {"readers": {str(n): {} for n in range(MOST_READERS + 1)}}],
            },
            "reader",
        ),
    ],
)
def test_what_is_wrong_is_said_without_quoting(value: object, said: str) -> None:
    """The text helps, and has none of the file's secrets."""
    with pytest.raises(ValueError, match=said) as caught:
        decode(json.dumps(value).encode())

    assert "hunter2" not in str(caught.value)


def test_depth_is_no_way_in() -> None:
    """A file that is nested without end is refused like any other."""
    with pytest.raises(ValueError, match="JSON"):
        decode(b"[" * 200_000)


def test_a_file_of_version_1_is_for_everybody() -> None:
    """It knew no readers and no owners: its rooms go on as they were."""
    data = json.dumps({"version": 1, "rooms": [ROOM]}).encode()

    assert decode(data) == (WantedRoom(RoomToken("abcd"), "en", everybody=True),)


def test_a_room_noted_before_says_nothing_of_what_is_kept() -> None:
    """An older version's file is as if nobody had said anything."""
    (found,) = decode(json.dumps({"version": VERSION, "rooms": [ROOM]}).encode())

    assert found.keeping == AS_SET
