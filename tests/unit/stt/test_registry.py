"""Tests of `livebot.stt.registry`."""

from importlib.metadata import EntryPoint

import pytest

from livebot.errors import ConfigError
from livebot.stt import registry


def test_our_engines_are_found_by_name() -> None:
    """By the same door as other people's."""
    assert {"kyutai", "local", "moshi"} <= set(registry.available())


def test_an_unknown_engine_is_said_so_with_those_there_are() -> None:
    """The cure is in the text."""
    with pytest.raises(ConfigError, match="no engine 'nonesuch'; have kyutai, local, moshi"):
        registry.load("nonesuch", {})


def test_a_missing_dependency_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that cannot be imported says what to install."""
    broken = EntryPoint("whisper", "livebot.no_such_module:Engine", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken])

    with pytest.raises(ConfigError, match=r"pip install 'livebot\[whisper\]'"):
        registry.load("whisper", {})
