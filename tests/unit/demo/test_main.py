"""The settings of the demo's bot."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from livebot.demo.main import _OF_THE_MACHINE, _settings
from livebot.settings import Settings

_ALIASES = {name: str(field.validation_alias) for name, field in Settings.model_fields.items()}
_SERVER = Mock(signaling_url="ws://127.0.0.1:1")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's settings out."""
    for variable in (*_ALIASES.values(), "LT_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_rooms_of_a_service_beside_it_are_not_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Settings of a service that lie around do not have the demo take up that service's rooms."""
    monkeypatch.setenv("LT_STATE_DIR", str(tmp_path))

    settings = _settings(_SERVER, "secret", Path("data"))

    assert settings.state_dir is None


@pytest.mark.parametrize("value", ["1", "[]", '[{"name": "a"}]', "live_transcription", "true"])
def test_settings_of_a_service_beside_it_change_nothing(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Whatever they are, and whether they work or not. Spec: command-line/Demo."""
    usual = _settings(_SERVER, "secret", Path("data")).model_dump()

    for name in _ALIASES.keys() - _OF_THE_MACHINE:
        monkeypatch.setenv(_ALIASES[name], value)

    assert _settings(_SERVER, "secret", Path("data")).model_dump() == usual


def test_an_app_of_nextcloud_beside_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment that AppAPI makes, the demo is no app and serves one call of its own."""
    monkeypatch.setenv("APP_ID", "live_transcription")
    monkeypatch.setenv("APP_SECRET", "x" * 32)
    monkeypatch.setenv("HP_SHARED_KEY", "y" * 32)
    monkeypatch.setenv("APP_PERSISTENT_STORAGE", "/nonexistent")
    monkeypatch.setenv("LT_BACKENDS", '[{"name": "a", "NEXTCLOUD_URL": "https://a.example"}]')

    settings = _settings(_SERVER, "secret", Path("data"))

    assert not settings.is_app
    assert settings.bind.host == "127.0.0.1"
    assert settings.bind.socket is None
    assert list(settings.per_backend().values()) == [settings]
    assert settings.state_dir is None


def test_what_the_machine_can_do_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model is, and how many workers there may be, is true of the demo as well."""
    monkeypatch.setenv("LT_ENGINE_WORKERS", "3")

    assert _settings(_SERVER, "secret", Path("data")).engine_workers == 3
