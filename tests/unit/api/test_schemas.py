"""Bodies of requests and answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import schemas
from livebot.api.schemas import TranscribeRequest
from livebot.errors import RequestError
from livebot.rooms.status import Health, HealthStatus

KEYS = ["roomToken", "languageId", "langId", "turnServers", "enable", "urls", "other"]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["abcd1234", "en", "turn:h:3478"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
)


def parse(body: bytes) -> TranscribeRequest:
    """Read a body where the settings say English."""
    return TranscribeRequest.from_json(body, default_language="en")


def well_formed(found: TranscribeRequest) -> bool:
    """Check what the rest of the program relies on."""
    return (
        found.token.isascii()
        and found.token.isalnum()
        and 4 <= len(found.token) <= 64
        and found.language == found.language.lower() != ""
    )


@given(JSON)
def test_any_json_is_a_request_or_refused(value: object) -> None:
    """Right keys with wrong values included. Spec: room-control/Bad requests."""
    try:
        found = parse(json.dumps(value).encode())
    except RequestError:
        return
    assert well_formed(found)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_object_with_a_room_is_a_request_or_refused(fields: dict[str, Any]) -> None:
    """As above, but past the first check."""
    try:
        found = parse(json.dumps(fields | {"roomToken": "abcd1234"}).encode())
    except RequestError as exc:
        assert "roomToken" not in str(exc)  # noqa: PT017  # either way is fine
        return
    assert found.token == "abcd1234"
    assert well_formed(found)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    """Garbage is no JSON, and that is said. Spec: room-control/Bad requests."""
    try:
        parse(body)
    except RequestError as exc:
        assert "body" in str(exc)  # noqa: PT017  # as above


def test_deep_nesting_is_refused() -> None:
    """A body that only nests does not exhaust the stack."""
    with pytest.raises(RequestError):
        parse(b"[" * 60_000)


def test_the_seeds_body() -> None:
    """The documented body is understood. Spec: room-control/Start a room."""
    found = parse(
        b'{"roomToken": "abcd1234", "languageId": "FR", "turnServers":'
        b' [{"urls": ["turn:t:3478"], "username": "u", "credential": "c"}], "ncSessionId": 1}'
    )

    (server,) = found.ice_servers
    assert (found.token, found.language) == ("abcd1234", "fr")
    assert (server.urls, server.username, server.credential) == (("turn:t:3478",), "u", "c")


@pytest.mark.parametrize("language", ["", ', "langId": null', ', "languageId": ""'])
def test_language_has_a_default(language: str) -> None:
    """Who names no language gets the one of the settings. Spec: room-control/Start a room."""
    assert parse(f'{{"roomToken": "abcd1234"{language}}}'.encode()).language == "en"


def test_lang_id_is_an_alias() -> None:
    """Talk calls it `langId`. Spec: room-control/Start a room."""
    assert parse(b'{"roomToken": "abcd1234", "langId": "fr"}').language == "fr"


@pytest.mark.parametrize("token", ["abc", "a" * 65, "ab/cd", "ab cd", "äbcd", "abcd\n", 1, None])
def test_bad_tokens(token: object) -> None:
    """What cannot be a room is not asked for."""
    with pytest.raises(RequestError, match="roomToken"):
        schemas.room_token(token)


def test_enable_false_does_not_start() -> None:
    """A wish to stop is never taken for one to start."""
    with pytest.raises(RequestError, match="DELETE"):
        parse(b'{"roomToken": "abcd1234", "enable": false}')


def test_credentials_are_not_repeated() -> None:
    """What is wrong with a server is said without its credential."""
    with pytest.raises(RequestError, match="turnServers") as caught:
        parse(
            b'{"roomToken": "abcd1234", "turnServers": [{"urls": "x", "credential": "hunter2"}]}'
        )
    assert "hunter2" not in str(caught.value)


def test_languages_tell_how_they_are_written() -> None:
    """Talk joins and aligns by this. Spec: room-control/Languages."""
    found = schemas.languages({"en": "English", "zh-CN": "Chinese", "he": "Hebrew"})

    assert found == {
        "en": {"name": "English", "metadata": {"separator": " ", "rtl": False}},
        "zh-CN": {"name": "Chinese", "metadata": {"separator": "", "rtl": False}},
        "he": {"name": "Hebrew", "metadata": {"separator": " ", "rtl": True}},
    }


def test_health_has_every_field() -> None:
    """The health check's body. Spec: observability/Health."""
    health = Health(HealthStatus.DEGRADED, ("a reason",), rooms=1, speakers=2)

    assert schemas.health(health, memory_mb=12.34, now=0.5) == {
        "status": "degraded",
        "reasons": ["a reason"],
        "rooms": 1,
        "speakers": 2,
        "memory_mb": 12.3,
        "timestamp": "1970-01-01T00:00:00.500+00:00",
    }
