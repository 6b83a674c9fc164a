"""What is different for an app of Nextcloud."""

from pathlib import Path
from typing import Any

import pytest

from livebot.errors import ConfigError
from livebot.settings import Bind, load_settings

APP = {
    "APP_ID": "live_transcription",
    "APP_SECRET": "hunter2hunter2",
    "APP_VERSION": "2.0.0",
    "AA_VERSION": "5.0.0",
    "APP_HOST": "0.0.0.0",
    "APP_PORT": "23000",
    "APP_PERSISTENT_STORAGE": "/nc_app_live_transcription_data",
    "NEXTCLOUD_URL": "https://cloud.example.com/index.php",
    "LT_INTERNAL_SECRET": "s",
}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be started by AppAPI."""
    for name, value in APP.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("app")
def test_what_appapi_gives_suffices() -> None:
    """Neither a signaling server nor a key is asked for. Spec: configuration/App of Nextcloud."""
    found = load_settings(for_call=True)

    assert found.is_app
    assert found.bind == Bind("0.0.0.0", 23000)
    assert found.state_dir == Path("/nc_app_live_transcription_data")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("variable", ["APP_SECRET", "NEXTCLOUD_URL", "LT_INTERNAL_SECRET"])
def test_what_an_app_cannot_be_without(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """An app without a secret would be open, and one without Nextcloud alone.

    Spec: configuration/App of Nextcloud.
    """
    monkeypatch.delenv(variable)

    with pytest.raises(ConfigError) as found:
        load_settings(for_call=True)

    assert [text.split()[0] for text in found.value.problems] == [variable]


@pytest.mark.usefixtures("app")
def test_the_proxys_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind HaRP there is no port. Spec: configuration/App of Nextcloud."""
    monkeypatch.setenv("HP_SHARED_KEY", "hunter2")

    found = load_settings()

    assert found.bind.socket == Path("/tmp/exapp.sock")
    assert found.bind.is_local
    assert "hunter2" not in repr(found)


def test_without_an_id_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that happens to be called like AppAPI's changes nothing."""
    for name, value in (APP | {"APP_ID": "", "HP_SHARED_KEY": "k"}).items():
        monkeypatch.setenv(name, value)

    found = load_settings()

    assert not found.is_app
    assert found.bind == Bind("127.0.0.1", 8080)
    assert found.state_dir is None


@pytest.mark.usefixtures("app")
def test_a_folder_that_is_set_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever source it comes from, and also where the program says that there is none."""
    (tmp_path / "bot.yaml").write_text("LT_STATE_DIR: /elsewhere\n")
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")

    assert load_settings().state_dir == Path("/elsewhere")
    assert load_settings(state_dir=None).state_dir is None


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("gone", "bind"),
    [("APP_HOST", Bind("127.0.0.1", 23000)), ("APP_PORT", Bind("0.0.0.0", 8080))],
)
def test_half_an_address(monkeypatch: pytest.MonkeyPatch, gone: str, bind: Bind) -> None:
    """What AppAPI does not say is as for everybody."""
    monkeypatch.delenv(gone)

    assert load_settings().bind == bind


@pytest.mark.parametrize(
    ("bind", "local"),
    [
        (Bind("127.0.0.1", 1), True),
        (Bind("localhost", 1), True),
        (Bind("0.0.0.0", 1), False),
        (Bind("0.0.0.0", 1, Path("/s")), True),
    ],
)
def test_who_reaches_it(bind: Bind, *, local: bool) -> None:
    """A socket of the file system is this machine's."""
    assert bind.is_local == local


@pytest.mark.parametrize(
    "given", [{"app_id": "a b"}, {"app_port": 65536}, {"app_version": "1\n2"}]
)
def test_what_cannot_be_from_appapi(given: dict[str, Any]) -> None:
    """It would end in headers."""
    with pytest.raises(ConfigError, match=r"^APP_"):
        load_settings(**given)
