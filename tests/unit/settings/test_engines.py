"""Which engines are chosen, and what each is built with."""

from typing import Any

import pytest

from livebot.errors import ConfigError
from livebot.settings import load_settings

CALL: dict[str, Any] = {"hpb_url": "wss://hpb.example.com", "internal_secret": "s"}


@pytest.mark.parametrize(
    ("given", "engine"),
    [
        ({}, "local"),
        ({"stt_stream_url": "ws://127.0.0.1:1"}, "kyutai"),
        ({"modal_workspace": "acme"}, "kyutai"),
        ({"modal_workspace": "acme", "engine": "local"}, "local"),
    ],
)
def test_engine_auto(given: dict[str, Any], engine: str) -> None:
    """Whoever names a remote service gets it. Spec: configuration/Choice of the engine."""
    assert load_settings(**given).engine_names == (engine,)


def test_engines_in_order_of_preference() -> None:
    """Several engines are a list; the order counts, blanks do not. Spec: engines/Failover."""
    assert load_settings(engine="kyutai, local").engine_names == ("kyutai", "local")
    assert load_settings(engine="local").engine_names == ("local",)


@pytest.mark.parametrize("engine", ["kyutai,", ",", "kyutai,kyutai", "auto,local", "Kyutai", ""])
def test_engines_that_cannot_be(engine: str) -> None:
    """A list with a hole, an engine twice, or auto beside others is told with what is allowed."""
    with pytest.raises(ConfigError, match=r"LT_ENGINE .*order of preference"):
        load_settings(engine=engine)


def test_each_engine_has_its_requirements() -> None:
    """What any engine of the list needs is asked for at the start."""
    with pytest.raises(ConfigError) as caught:
        load_settings(for_call=True, **CALL, engine="local,moshi,kyutai")

    missing = [text.split()[0] for text in caught.value.problems]
    assert missing == ["MODAL_WORKSPACE", "MODAL_KEY", "MODAL_SECRET", "STT_STREAM_URL"]


def test_one_address_is_not_for_two_engines() -> None:
    """Beside moshi, kyutai is Modal's: the two protocols never meet at one address."""
    found = load_settings(
        for_call=True,
        **CALL,
        engine="moshi,kyutai",
        stt_stream_url="ws://gpu:8080",
        modal_workspace="acme",
        modal_key="k",
        modal_secret="s",
    )

    assert found.engine_options("moshi")["url"] == "ws://gpu:8080"
    kyutai = found.engine_options("kyutai")
    assert (kyutai["workspace"], kyutai["key"], "url" in kyutai) == ("acme", "k", False)


def test_modal_needs_all_three() -> None:
    """A workspace without its keys is told at the start, both of them."""
    with pytest.raises(ConfigError) as caught:
        load_settings(for_call=True, **CALL, modal_workspace="acme")

    assert [text.split()[0] for text in caught.value.problems] == ["MODAL_KEY", "MODAL_SECRET"]


def test_options_leave_out_what_is_not_set() -> None:
    """An engine sees its own options only, and only those that are set."""
    found = load_settings(
        modal_workspace="acme", modal_key="k", modal_secret="s", engine_workers=2
    )

    assert found.engine_options("kyutai") == {
        "workspace": "acme",
        "key": "k",
        "secret": "s",
        "chunk_ms": "200",
        "session_s": "1800",
    }
    local = found.engine_options("local")
    assert local["workers"] == "2"
    assert not {"model", "model_dir", "cache", "source"} & set(local)
    assert found.engine_options("moshi") == {"key": "public_token"}
    assert found.engine_options("another") == {}


def test_modal_keys_stay_with_modal() -> None:
    """With Modal's workspace set, its key does not go to another address."""
    url = "wss://stt.example.com/v1/stream"
    keys: dict[str, Any] = {"modal_key": "k", "modal_secret": "s", "stt_stream_url": url}

    elsewhere = load_settings(**keys, modal_workspace="acme").engine_options("kyutai")
    own = load_settings(**keys).engine_options("kyutai")

    assert elsewhere == {"url": url, "chunk_ms": "200", "session_s": "1800"}
    assert own == {**elsewhere, "key": "k", "secret": "s"}


def test_moshi_needs_an_address() -> None:
    """An engine that is always elsewhere is told so at the start."""
    with pytest.raises(ConfigError, match="STT_STREAM_URL"):
        load_settings(for_call=True, **CALL, engine="moshi")
