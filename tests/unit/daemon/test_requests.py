"""A request is understood as a whole, or refused with what is wrong and whose it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.daemon.framing import Frame
from livebot.daemon.requests import (
    Audio,
    Cancel,
    Close,
    Finish,
    Open,
    Ping,
    Recognise,
    Refusal,
    Request,
    Status,
    parse,
)

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["ping", "open", "audio", "finish", "close", "en", "", "\ud800"])
)
ANYTHING = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        *("audio_url", "path", "id", "language", "model", "progress", "diarize", "speakers"),
        *("cancel", "status", "type", "stream", "bytes", "payload", "other"),
    ]
)


def parsed(payload: bytes = b"", /, **fields: Any) -> Request | Refusal:
    """Parse the line of these keys."""
    return parse(Frame(json.dumps(fields).encode(), payload))


@given(st.dictionaries(KEYS, ANYTHING, max_size=5))
def test_any_object_is_a_request_or_refused(fields: dict[str, Any]) -> None:
    """Right keys with wrong values raise nothing, and a refusal says why in one line.

    Spec: daemon/Garbage.
    """
    found = parse(Frame(json.dumps(fields).encode()))

    if isinstance(found, Refusal):
        assert found.reason
        assert "\n" not in found.reason
        for key, value in found.about.items():
            assert fields[key] == value


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({"audio_url": "http://a/b"}, Recognise(audio_url="http://a/b")),
        ({"audio_url": "http://a/b", "other": [1]}, Recognise(audio_url="http://a/b")),
        (
            {"path": "/a", "id": 7, "language": "de", "model": "tiny", "progress": True},
            Recognise(path="/a", id=7, language="de", model="tiny", progress=True),
        ),
        (
            {"audio_url": "u", "id": None, "language": None},
            Recognise(audio_url="u", language=None),
        ),
        ({"audio_url": "ping"}, Ping()),
        ({"audio_url": "ping", "id": "x"}, Ping("x")),
        ({"status": True, "id": 3}, Status(3)),
        ({"status": None}, Status()),
        ({"cancel": "x"}, Cancel("x")),
        ({"type": "open", "stream": "a", "language": "en"}, Open("a", "en")),
        ({"type": "finish", "stream": "a"}, Finish("a")),
        ({"type": "close", "stream": 1}, Close(1)),
    ],
)
def test_requests_are_understood(fields: dict[str, Any], request_: Request) -> None:
    """Also those of other versions, with more keys.

    Spec: daemon/Requests.
    """
    assert parsed(**fields) == request_


def test_audio_has_its_payload() -> None:
    """And not what a client puts into the line."""
    found = parsed(b"12345678", type="audio", stream="a", bytes=8, payload="x")

    assert found == Audio("a", b"12345678")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no request"),
        ({"url": "http://a"}, "no request"),
        ({"type": "sing", "stream": "a"}, "no request"),
        ({"type": 3}, "no request"),
        ({"audio_url": 3}, "audio_url"),
        ({"audio_url": ""}, "audio_url"),
        ({"audio_url": "a", "path": "b"}, "either audio_url or path"),
        ({"audio_url": None}, "either audio_url or path"),
        ({"audio_url": "a", "id": [1]}, "id"),
        ({"audio_url": "a", "id": True}, "id"),
        ({"audio_url": "a", "id": ""}, "id"),
        ({"audio_url": "a", "id": "x" * 257}, "id"),
        ({"audio_url": "a", "language": "../x"}, "language"),
        ({"audio_url": "a", "speakers": 0}, "speakers"),
        ({"audio_url": "a", "progress": "yes"}, "progress"),
        ({"audio_url": "a", "bytes": 100}, "only a line of type audio"),
        ({"cancel": None}, "cancel"),
        ({"type": "open"}, "stream"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, Any], reason: str) -> None:
    """With the key that it is about.

    Spec: daemon/Requests.
    """
    found = parsed(**fields)

    assert isinstance(found, Refusal)
    assert reason in found.reason


def test_who_is_refused_learns_which_request_it_was() -> None:
    """By all the names that can be used."""
    found = parsed(audio_url="a", id=4, stream=[], progress=3)

    assert isinstance(found, Refusal)
    assert found.about == {"audio_url": "a", "id": 4}


@pytest.mark.parametrize(
    "line", [b'{"audio_url":"\xff"}', b'{"x":1e999}', b'{"x":%b1%b}' % (b"[" * 5000, b"]" * 5000)]
)
def test_what_framing_lets_through_is_refused_here(line: bytes) -> None:
    """Framing reads two keys; the others may be nonsense."""
    assert isinstance(parse(Frame(line)), Refusal)
