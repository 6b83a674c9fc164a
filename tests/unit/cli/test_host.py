"""The host that commands use."""

import pytest

from livebot.cli.host import build, check_language, check_translates, options
from livebot.errors import ConfigError
from livebot.settings import load_settings
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LT_MODEL", "")


def test_options_are_those_of_the_settings() -> None:
    """And the number of workers that was asked for."""
    found = options(load_settings(model="base", device="cpu"), workers=3)
    assert (found.model, found.device, found.workers) == ("base", "cpu", 3)
    assert options(load_settings()).model == "moonshine-tiny-en"
    assert isinstance(build(found, lambda _: None), EngineHost)


def test_a_folder_is_a_model() -> None:
    """What is in it is seen when it is loaded."""
    assert options(load_settings(model="./nonsense")).model == "./nonsense"


def test_a_model_that_does_not_exist_is_wrong_use() -> None:
    """With those that do. Spec: command-line/Recordings."""
    with pytest.raises(ConfigError, match="no model is called 'nonsense'"):
        options(load_settings(model="nonsense"))


def test_what_the_model_can() -> None:
    """Its languages, `auto`, and translation."""
    host = FakeHost(HostOptions(), lambda _: None)
    for language in ("auto", "en", "DE", "en-US"):
        check_language(host, language)
    with pytest.raises(ConfigError, match="understands de, en"):
        check_language(host, "fr")
    with pytest.raises(ConfigError, match="--translate"):
        check_translates(host)
    check_translates(FakeHost(HostOptions(model="base"), lambda _: None))
