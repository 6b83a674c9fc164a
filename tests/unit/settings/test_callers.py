"""Who may call: each credential is one caller's, and nobody is shut out or let in unnoticed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from livebot.errors import ConfigError
from livebot.settings import ApiKey, load_settings
from livebot.settings.callers import Callers

CALL: dict[str, Any] = {"hpb_url": "wss://hpb.example.com", "internal_secret": "s"}
APP: dict[str, Any] = {
    "app_id": "app",
    "nextcloud_url": "https://cloud.example.com",
    "internal_secret": "s",
}

KEYS = st.lists(
    st.builds(ApiKey, name=st.sampled_from("abcd"), key=st.sampled_from("wxyz").map(SecretStr)),
    max_size=2,
).map(tuple)
CALLERS = st.builds(
    Callers,
    shared=KEYS,
    keys=st.dictionaries(st.sampled_from(["one", "two", "three"]), KEYS, min_size=1),
    secrets=st.just({}),
    anonymous=st.booleans(),
    local=st.booleans(),
)


def problems(callers: Callers) -> list[str]:
    """Return what is wrong."""
    return [sentence for _, sentence in callers.problems()]


def given_backends(*own: dict[str, object], **given: Any) -> list[str]:
    """Return what is wrong with backends that have this each, named `one`, `two` ..."""
    backends = [
        {"name": name} | one for name, one in zip(["one", "two", "three"], own, strict=False)
    ]
    try:
        load_settings(for_call=True, **{**CALL, **given}, backends=backends)
    except ConfigError as exc:
        return list(exc.problems)
    return []


@given(CALLERS)
def test_without_problems_every_credential_is_one_callers(callers: Callers) -> None:
    """No name and no key is there twice exactly where nothing is said about either."""
    found = [*callers.shared, *(key for keys in callers.keys.values() for key in keys)]
    clash = len({one.name for one in found}) < len(found) or len(
        {one.revealed for one in found}
    ) < len(found)

    assert any("Rename" in text or "the same key" in text for text in problems(callers)) == clash


@given(CALLERS)
def test_without_problems_all_can_be_called_and_none_is_open(callers: Callers) -> None:
    """Nobody gets in from elsewhere without a key, and each backend has somebody who does."""
    lacking = any("is not set" in text for text in problems(callers))

    keyed = [bool(callers.shared or keys) for keys in callers.keys.values()]
    fine = callers.anonymous or all(keyed) or (callers.local and not any(keyed))
    assert lacking == (not fine)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bot.example.com"])
def test_open_address_needs_a_key(host: str) -> None:
    """Other machines get in by key, or when allowed to. Spec: configuration/Open addresses."""
    with pytest.raises(ConfigError, match="LT_API_KEYS"):
        load_settings(for_call=True, **CALL, host=host)

    load_settings(for_call=True, **CALL, host=host, allow_anonymous=True)
    load_settings(for_call=True, **CALL, host=host, api_keys="me:0123456789abcdef")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_no_key(host: str) -> None:
    """Who is on this machine may come in. Spec: configuration/Open addresses."""
    load_settings(for_call=True, **CALL, host=host)


def test_one_sentence_where_nobody_has_a_key() -> None:
    """It is the service that is open, not each backend."""
    (found,) = given_backends({}, {}, host="0.0.0.0")

    assert found.startswith("LT_API_KEYS is not set while HOST")


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_backend_that_nobody_may_call(host: str) -> None:
    """Where one has a key, callers show one, so the other is told to need one.

    Spec: configuration/Open addresses.
    """
    keyed: dict[str, object] = {"LT_API_KEYS": "me:0123456789abcdef"}

    (found,) = given_backends(keyed, {}, host=host)

    assert found.startswith("LT_BACKENDS: backend two: LT_API_KEYS is not set")
    assert not given_backends(keyed, {}, host=host, api_keys="you:abcdef0123456789")
    assert not given_backends(keyed, {}, host=host, allow_anonymous=True)


def test_a_key_of_two_backends() -> None:
    """It would not say whose rooms are meant. Spec: configuration/Several backends."""
    found = given_backends(
        {"LT_API_KEYS": "a:hunter2hunter2hunter2"}, {"LT_API_KEYS": "b:hunter2hunter2hunter2"}
    )

    assert found == [
        "LT_API_KEYS: backend one and backend two have the same key. Give each its own."
    ]


def test_a_key_of_the_top_level_and_of_a_backend() -> None:
    """It would be for one backend, or for all. Spec: configuration/Several backends."""
    found = given_backends(
        {"LT_API_KEYS": "a:hunter2hunter2hunter2"}, api_keys="a:hunter2hunter2hunter2"
    )

    assert found == [
        "LT_API_KEYS: the top level and backend one have a key named a. Rename one.",
        "LT_API_KEYS: the top level and backend one have the same key. Give each its own.",
    ]


def test_secrets_of_apps() -> None:
    """Two that show the same are not told apart. Spec: configuration/Several backends."""
    own: dict[str, object] = {"APP_SECRET": "hunter2"}

    assert not given_backends(own, {}, **APP, app_secret="hunter3", host="0.0.0.0")
    assert given_backends(own, {}, **APP, app_secret="hunter2") == [
        "APP_SECRET: backend one and backend two have the same one. Give each its own."
    ]
    (missing,) = given_backends(own, {}, **APP, host="0.0.0.0")
    assert missing.startswith("LT_BACKENDS: backend two: APP_SECRET is not set.")


def test_secrets_of_no_app_do_not_count() -> None:
    """Without APP_ID, a secret that was left over opens and closes nothing."""
    found = given_backends({}, {}, app_secret="hunter2", host="0.0.0.0")

    assert [text.split()[0] for text in found] == ["LT_API_KEYS"]
