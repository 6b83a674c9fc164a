"""Bodies of requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import bodies
from livebot.api.bodies import Leave, SetLanguage, SetTarget, Transcribe
from livebot.errors import RequestError
from livebot.ids import is_room_token, is_talk_session
from livebot.rooms.readers import Wish

KINDS = [Transcribe, SetLanguage, Leave, SetTarget]
KEYS = [
    "roomToken",
    "ncSessionId",
    "enable",
    "languageId",
    "langId",
    "translationTargetLangId",
    "mode",
    "turnServers",
    "urls",
    "other",
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["abcd1234", "en", "turn:h:3478", "append", "abcd\n", "x" * 513]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
)


def check(found: bodies.Body) -> None:
    """Check what the rest of the program relies on."""
    assert is_room_token(found.token)
    match found:
        case Transcribe():
            assert found.reader is None or is_talk_session(found.reader)
            assert found.language is None or found.language
            assert found.wish.mode in (None, "append", "replace")
            assert found.wish.target is None or found.wish.target
        case SetTarget():
            assert is_talk_session(found.reader)
        case _:
            pass


def parse(kind: type[bodies.T], value: object) -> bodies.T | None:
    """Read a body; None where it is refused, for a reason that is told."""
    try:
        found = bodies.read(kind, json.dumps(value).encode())
        check(found)
        if isinstance(found, Transcribe):
            _ = found.ice_servers
    except RequestError as exc:
        assert str(exc)  # noqa: PT017  # either way is fine
        return None
    return found


@given(st.sampled_from(KINDS), JSON)
def test_any_json_is_a_request_or_refused(kind: type[bodies.Body], value: object) -> None:
    """Right keys with wrong values included. Spec: room-control/Bad requests."""
    parse(kind, value)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_object_with_a_room_is_a_request_or_refused(
    kind: type[bodies.Body], fields: dict[str, Any]
) -> None:
    """As above, but past the first check."""
    found = parse(kind, fields | {"roomToken": "abcd1234"})

    assert found is None or found.token == "abcd1234"


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(kind: type[bodies.Body], body: bytes) -> None:
    """Garbage is no JSON, and that is said. Spec: room-control/Bad requests."""
    with pytest.raises(RequestError, match=r"the body|roomToken"):
        bodies.read(kind, body)


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9]{3,31}\n?"))
def test_tokens_are_those_of_rooms(text: str) -> None:
    """The schema and the program agree on what a room is. Spec: room-control/Bad requests."""
    assert (parse(Leave, {"roomToken": text}) is not None) == is_room_token(text)


@given(st.text(max_size=40) | st.from_regex(r"[!-~]{511,513}\n?"))
def test_readers_are_talks_sessions(text: str) -> None:
    """So do they on what a reader is. Spec: talk-app/Readers."""
    found = parse(SetTarget, {"roomToken": "abcd1234", "ncSessionId": text})

    assert (found is not None) == is_talk_session(text)


@pytest.mark.parametrize("depth", [b"[" * 60_000, b'{"roomToken":"abcd","x":' + b"[" * 60_000])
def test_deep_nesting_is_refused(depth: bytes) -> None:
    """A body that only nests does not exhaust the stack."""
    with pytest.raises(RequestError):
        bodies.read(Transcribe, depth)


def test_the_seeds_body() -> None:
    """The documented body is understood. Spec: room-control/Start a room."""
    found = parse(
        Transcribe,
        {
            "roomToken": "abcd1234",
            "languageId": "FR",
            "turnServers": [{"urls": ["turn:t:3478"], "username": "u", "credential": "c"}],
        },
    )

    assert found is not None
    (server,) = found.ice_servers
    assert (found.token, found.language, found.reader) == ("abcd1234", "FR", None)
    assert (server.urls, server.username, server.credential) == (("turn:t:3478",), "u", "c")


def test_talks_body() -> None:
    """So is Talk's. Spec: talk-app/Readers."""
    found = parse(
        Transcribe,
        {
            "roomToken": "abcd1234",
            "ncSessionId": "a/b+c=",
            "enable": True,
            "langId": "fr",
            "translationTargetLangId": "de",
            "mode": "replace",
        },
    )

    assert found is not None
    assert (found.reader, found.language, found.enable) == ("a/b+c=", "fr", True)
    assert found.wish == Wish("replace", "de")


@pytest.mark.parametrize("fields", [{}, {"langId": None}, {"languageId": ""}, {"langId": ""}])
@pytest.mark.parametrize("kind", [Transcribe, SetLanguage, SetTarget])
def test_no_language_is_the_default(kind: type[bodies.Body], fields: dict[str, Any]) -> None:
    """Null and empty alike. Spec: room-control/Start a room."""
    found = parse(kind, {"roomToken": "abcd1234", "ncSessionId": "x"} | fields)

    match found:
        case Transcribe():
            assert found.language is None
        case SetLanguage() | SetTarget():
            assert not found.lang_id
        case _:
            pytest.fail("refused")


@pytest.mark.parametrize("session", [None, "", "a b", 1, "x" * 513])
def test_an_unclear_reader_is_not_everybody(session: object) -> None:
    """Whoever means one reader never gets captions for all. Spec: talk-app/Readers."""
    with pytest.raises(RequestError, match="ncSessionId"):
        bodies.read(Transcribe, json.dumps({"roomToken": "abcd", "ncSessionId": session}).encode())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"roomToken": "a/b"}, "roomToken must be 4 to 30 lower-case letters and digits"),
        ({"roomToken": None}, "roomToken"),
        ({"roomToken": "ABCD"}, "roomToken"),
        ({"enable": 1}, "enable must be true or false"),
        ({"langId": "hunter2!"}, "langId must be a language code"),
        ({"languageId": 7}, "languageId must be a language code"),
        ({"mode": "hunter2"}, "mode must be append or replace"),
        ({"turnServers": "hunter2"}, "turnServers must be a list"),
        ({"turnServers": [{"urls": ["x"], "credential": {"hunter2": 1}}]}, "turnServers"),
    ],
)
def test_wrong_values_are_named_and_not_repeated(fields: dict[str, Any], said: str) -> None:
    """What is wrong is said without what was sent. Spec: room-control/Bad requests."""
    body = json.dumps({"roomToken": "abcd1234"} | fields).encode()

    with pytest.raises(RequestError, match=said) as caught:
        bodies.read(Transcribe, body)
    assert "hunter2" not in str(caught.value)


def test_credentials_are_not_repeated() -> None:
    """What is wrong with a server is said without its credential."""
    body = {"roomToken": "abcd1234", "turnServers": [{"urls": "x", "credential": "hunter2"}]}
    found = bodies.read(Transcribe, json.dumps(body).encode())

    with pytest.raises(RequestError, match="turnServers: server 1") as caught:
        _ = found.ice_servers
    assert "hunter2" not in str(caught.value)
