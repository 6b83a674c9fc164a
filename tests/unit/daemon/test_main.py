"""What the settings mean for the daemon."""

import json
from collections.abc import Mapping

import pytest

from livebot.daemon import main
from livebot.daemon.main import FAILED, host_options, refuse
from livebot.errors import ConfigError
from livebot.settings import load_settings
from livebot.stt.models import Download


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave out the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    for name in ("LT_CONFIG", "LT_DEFAULT_LANGUAGE", "LT_MODEL", "LT_STARTUP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "language"), [({}, "auto"), ({"LT_DEFAULT_LANGUAGE": "de"}, "de")]
)
def test_a_language_is_one_that_somebody_has_set(
    given: Mapping[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is of calls; of files, it is heard."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert host_options(load_settings()).language == language


def test_the_host_does_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names of the seed's file."""
    monkeypatch.setenv("LT_STARTUP_TIMEOUT", "7")

    assert host_options(load_settings()).startup_s == 7


def test_a_refusal_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """With all that is wrong."""
    assert refuse(ConfigError("LT_A: no.", "LT_B: no.")) == FAILED

    assert json.loads(capfd.readouterr().out) == {
        "status": "error",
        "error": "LT_A: no. LT_B: no.",
        "message": "LT_A: no. LT_B: no.",
    }


def test_a_download_is_logged_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each of its blocks."""
    logged: list[int] = []
    monkeypatch.setattr(main.log, "info", lambda _, **facts: logged.append(facts["done_mb"]))
    tell = main._told_of_downloads()

    for megabytes in range(100):
        tell(Download("tiny", "model.bin", megabytes << 20, 100 << 20))

    assert logged == [0]
