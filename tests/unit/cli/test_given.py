"""From options to settings."""

import pytest

from livebot.cli.given import given, spoken
from livebot.settings import load_settings


def test_options_that_were_not_used_change_nothing() -> None:
    """None is none."""
    assert given(a=None, b=0, c="") == {"b": 0, "c": ""}


def test_what_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option says it, then the setting; else it is found out."""
    monkeypatch.delenv("LT_DEFAULT_LANGUAGE", raising=False)
    assert spoken(None, load_settings()) == "auto"
    monkeypatch.setenv("LT_DEFAULT_LANGUAGE", "de")
    assert spoken(None, load_settings()) == "de"
    assert spoken("fr", load_settings()) == "fr"
