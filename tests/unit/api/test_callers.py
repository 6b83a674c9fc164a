"""Credentials in headers: whose they are."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from livebot.api.callers import Caller, Callers
from livebot.settings import load_settings
from tests.support.asking import app_api

SECRET = "s3cret-of-the-app"
NEXTCLOUD = Caller("nextcloud", "default")

AUTHORIZATION = "AUTHORIZATION-APP-API"
NEEDED = ["AA-VERSION", "EX-APP-ID", "EX-APP-VERSION", AUTHORIZATION]


@pytest.fixture(scope="module")
def callers() -> Callers:
    """Return who may call an app."""
    return Callers(load_settings(app_id="live_transcription", app_secret=SECRET))


def test_nextcloud(callers: Callers) -> None:
    """What AppAPI sends is known, whoever uses Nextcloud then. Spec: access/App."""
    for user in ("", "alice", "bob@example.com"):
        assert callers.find(CIMultiDict(app_api(SECRET, user=user))) == NEXTCLOUD


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("change", ["missing", "empty", "twice"])
def test_each_header_once(callers: Callers, name: str, change: str) -> None:
    """A header that is missing, empty or there twice spoils them all. Spec: access/App."""
    headers = CIMultiDict(app_api(SECRET))
    match change:
        case "missing":
            del headers[name]
        case "empty":
            headers[name] = ""
        case _:
            headers.add(name, headers[name])

    assert callers.find(headers) is None


@pytest.mark.parametrize(
    "shown",
    [
        "",
        ":",
        f"alice:{SECRET}x",
        f"alice:{SECRET[:-1]}",
        f"alice:x:{SECRET}",
        SECRET,
        f"{SECRET}:",
        "alice:",
    ],
)
def test_other_secrets(callers: Callers, shown: str) -> None:
    """Nothing that is near the secret is the secret. Spec: access/App."""
    headers = CIMultiDict(app_api(SECRET))
    headers[AUTHORIZATION] = base64.b64encode(shown.encode()).decode()

    assert callers.find(headers) is None
    assert callers.shows_any(headers)


@given(st.text(max_size=60))
def test_undecodable(shown: str) -> None:
    """What is no base64 is nobody's, and no fault of ours. Spec: access/App."""
    headers = CIMultiDict(app_api(SECRET))
    headers[AUTHORIZATION] = shown

    found = Callers(_APP).find(headers)

    assert found is None or base64.b64decode(shown).partition(b":")[2] == SECRET.encode()


def test_another_app(callers: Callers) -> None:
    """Another app's headers open nothing here. Spec: access/App."""
    headers = CIMultiDict(app_api(SECRET))
    headers["EX-APP-ID"] = "another_app"

    assert callers.find(headers) is None


def test_who_is_no_app_has_no_secret() -> None:
    """Without an app id, AppAPI's headers say nothing, and an empty secret opens nothing."""
    plain = Callers(load_settings(app_secret=SECRET))
    assert not plain
    for secret in (SECRET, ""):
        headers = CIMultiDict(app_api(secret))
        assert plain.find(headers) is None
        headers["EX-APP-ID"] = ""
        assert plain.find(headers) is None

    secretless = Callers(load_settings(app_id="live_transcription", app_secret=""))
    assert secretless.find(CIMultiDict(app_api(""))) is None


def test_two_keys_at_once_are_none() -> None:
    """Which of them a proxy looked at cannot be known."""
    keyed = Callers(load_settings(api_keys="ops:0123456789abcdef"))
    headers = CIMultiDict({"Authorization": "Bearer 0123456789abcdef"})
    assert keyed.find(headers) == Caller("ops", None)

    headers.add("Authorization", "Bearer 0123456789abcdef")
    assert keyed.find(headers) is None


_APP = load_settings(app_id="live_transcription", app_secret=SECRET)
