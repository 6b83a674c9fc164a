"""`livebot transcribe` from what was asked for to the exit code."""

import os
import sys
from pathlib import Path

import pytest

from livebot.cli.transcribing import run as module
from livebot.cli.transcribing.run import Order, screen_for, transcribe, workers
from livebot.cli.transcribing.screen import Bars, Lines
from livebot.errors import ConfigError, EngineError
from livebot.settings import Settings, load_settings
from livebot.stt.diarize import find
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[FakeHost]:
    """Return the hosts that are built."""
    built: list[FakeHost] = []

    def build(*given: object) -> FakeHost:
        built.append(FakeHost(*given))  # type: ignore[arg-type]  # as the true one
        return built[-1]

    monkeypatch.setattr(module, "build", build)
    return built


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings with a folder for what is piped, in a folder of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return load_settings(temp_dir=tmp_path / "temp")


def make(*texts: str) -> None:
    """Make recordings for a fake host: 0.wav, ..."""
    for number, text in enumerate(texts):
        Path(f"{number}.wav").write_text(text)


def test_everything_is_written(
    settings: Settings, hosts: list[FakeHost], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0, and nothing is left in the folder for temporary files."""
    make("say And", "say so")
    assert transcribe(Order(files=["."], language="en"), HostOptions(), settings) == 0
    assert capsys.readouterr().out == "==> 0.wav <==\nAnd\n\n==> 1.wav <==\nso\n"
    assert hosts[0].asked == ["en", "en"]
    assert settings.temp_dir is not None
    assert list(settings.temp_dir.iterdir()) == []


def test_some_fail(
    settings: Settings, hosts: list[FakeHost], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, a line each. Spec: command-line/Exit codes."""
    make("fail it is so; do that")
    assert transcribe(Order(files=["0.wav", "nope"]), HostOptions(), settings) == 1
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "0.wav: it is so; do that",
        "nope: there is no such file; check the name",
    ]
    assert len(hosts) == 1


def test_without_anything_to_do_no_model_is_loaded(
    settings: Settings, hosts: list[FakeHost]
) -> None:
    """It would take time, or a download."""
    make("say And")
    Path("0.txt").touch()
    assert transcribe(Order(files=["0.wav"], output="0.txt"), HostOptions(), settings) == 1
    assert hosts[0].asked == []


def test_a_language_that_the_model_does_not_know_is_wrong_use(
    settings: Settings, hosts: list[FakeHost]
) -> None:
    """Said once, not once per recording. Spec: command-line/Recordings."""
    make("say And", "say so")
    with pytest.raises(ConfigError, match=r"--language fr: .* understands de, en"):
        transcribe(Order(files=["."], language="fr"), HostOptions(), settings)
    assert hosts[0].asked == []


def test_translation_is_for_models_that_can(settings: Settings, hosts: list[FakeHost]) -> None:
    """The others are named as such. Spec: command-line/Recordings."""
    make("say Und")
    order = Order(files=["0.wav"], language="de", translate=True)
    with pytest.raises(ConfigError, match=r"--translate: moonshine-tiny-en cannot: .*base"):
        transcribe(order, HostOptions(), settings)
    assert transcribe(order, HostOptions(model="base"), settings) == 0
    assert hosts[1].asked == ["de in English"]


def test_a_model_that_cannot_be_had(
    settings: Settings, hosts: list[FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text says what to do."""

    def build(*given: object) -> FakeHost:
        fake = FakeHost(*given)  # type: ignore[arg-type]  # as the true one
        fake.fault = EngineError("no network", retryable=False)
        return fake

    monkeypatch.setattr(module, "build", build)
    make("say And")
    with pytest.raises(EngineError, match="no network"):
        transcribe(Order(files=["0.wav"]), HostOptions(), settings)
    assert hosts == []


def test_speakers_are_found(
    settings: Settings,
    hosts: list[FakeHost],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As many as asked for."""
    asked: list[object] = []

    async def find_turns(
        path: Path, *, speakers: int, memory_limit: int, **_: object
    ) -> list[object]:
        asked.extend((speakers, path, memory_limit))
        return []

    monkeypatch.setattr(find, "find_turns", find_turns)
    make("say And")
    order = Order(files=["0.wav"], diarize=True, speakers=3, quiet=True)
    assert transcribe(order, HostOptions(memory_limit=1 << 29), settings) == 0
    assert asked == [3, Path("0.wav"), 1 << 29]
    assert capsys.readouterr().err == ""
    assert len(hosts) == 1


@pytest.mark.parametrize(
    ("wanted", "model", "jobs", "count"),
    [
        (1, "moonshine-tiny-en", 100, 4),
        (1, "moonshine-tiny-en", 3, 3),
        (1, "base", 100, 1),
        (8, "base", 100, 8),
        (8, "moonshine-tiny-en", 100, 8),
        (8, "base", 0, 1),
    ],
)
def test_workers(
    monkeypatch: pytest.MonkeyPatch, wanted: int, model: str, jobs: int, count: int
) -> None:
    """One per core where a model uses one, and never more than recordings."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert workers(wanted, model, jobs) == count


def test_bars_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for files, and not where it shall be quiet. Spec: command-line/Progress."""
    assert isinstance(screen_for(quiet=False), Lines)
    assert not isinstance(screen_for(quiet=False), Bars)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(screen_for(quiet=False), Bars)
    assert not isinstance(screen_for(quiet=True), Bars)
    monkeypatch.setenv("TERM", "dumb")
    assert not isinstance(screen_for(quiet=False), Bars)
