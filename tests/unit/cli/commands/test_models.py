"""`livebot models`."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from livebot import cli
from livebot.settings import Settings
from livebot.stt import models
from livebot.stt.model import ModelSpec
from livebot.stt.models import Download


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the machine's settings and models out, and put the logging back."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit code."""
    monkeypatch.setattr("sys.argv", ["livebot", "models", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_all_models_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where they are, or how to get them; a line each. Spec: command-line/Models."""
    assert run(monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(models.names())
    assert "moonshine_voice" in lines[0]
    assert "needs LT_MODEL_DIR" in lines[1]
    (base,) = [line for line in lines if line.startswith("base ")]
    assert base.rstrip().endswith("not here: livebot models get base")


def test_one_is_got(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is said where it is. Spec: command-line/Models."""

    async def provide(
        name: str, *, cache: Path | None, on_progress: Callable[[Download], None], **_: object
    ) -> ModelSpec:
        on_progress(Download(name, "model.bin", 1, 2))
        return ModelSpec("whisper", name, str(cache))

    monkeypatch.setattr(models, "provide", provide)
    monkeypatch.setenv("LT_MODEL_CACHE", str(tmp_path / "cache"))
    assert run(monkeypatch, "get", "base") == 0
    assert capsys.readouterr().out == f"base: {tmp_path}/cache\n"


def test_one_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The names of those that do. Spec: command-line/Models."""
    assert run(monkeypatch, "get", "huge") == 1
    assert "no model is called 'huge'" in capsys.readouterr().err


def test_without_a_network_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the files that are needed. Spec: command-line/Models."""
    monkeypatch.setenv("LT_OFFLINE", "true")
    assert run(monkeypatch, "get", "base") == 1
    assert "LT_MODEL_DIR" in capsys.readouterr().err
