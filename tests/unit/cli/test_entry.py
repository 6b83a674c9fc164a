"""The command line: exit codes, help, and what is printed where."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from livebot import __version__, cli
from livebot.errors import ConfigError, EngineError, LivebotError, SignalingError
from livebot.settings import Settings
from livebot.stt import registry
from tests.support.scripted_engine import ScriptedEngine

COMMANDS = [
    "transcribe",
    "listen",
    "daemon",
    "serve",
    "demo",
    "stt-server",
    "models",
    "engines",
    "doctor",
    "version",
]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the machine's settings out, and put the logging back."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.delenv("LT_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit code."""
    monkeypatch.setattr("sys.argv", ["livebot", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Every command teaches by example. Spec: command-line/Help."""
    assert run(monkeypatch, command, "--help") == 0
    assert "Example:" in capsys.readouterr().out


def test_no_command_shows_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever knows nothing is shown everything. Spec: command-line/Help."""
    assert run(monkeypatch) == 2
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in printed] == []


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["serve", "--port"]])
def test_wrong_use(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """What does not exist is wrong use. Spec: command-line/Exit codes."""
    assert run(monkeypatch, *arguments) == 2


def test_missing_settings_are_all_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, on stderr. Spec: command-line/Exit codes."""
    assert run(monkeypatch, "serve", "--host", "0.0.0.0") == 2

    printed = capsys.readouterr()
    lines = [line.split()[0] for line in printed.err.splitlines()]
    assert lines == ["LT_HPB_URL", "LT_INTERNAL_SECRET", "LT_API_KEYS"]
    assert printed.out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("it is so", "and so"), 2),
        (SignalingError("it is so"), 1),
        (ExceptionGroup("", [EngineError("it is so")]), 1),
        (ExceptionGroup("", [ExceptionGroup("", [ConfigError("it is so")])]), 2),
    ],
)
def test_faults_are_lines_without_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: LivebotError,
    code: int,
) -> None:
    """However deep in task groups a fault is, it is a line. Spec: command-line/Exit codes."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("livebot.stt.registry.available", fail)

    assert run(monkeypatch, "engines") == code
    printed = capsys.readouterr().err
    assert "it is so" in printed
    assert "Traceback" not in printed


def test_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not a fault of the outside world is not dressed up as one."""

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("livebot.stt.registry.available", fail)
    monkeypatch.setattr("sys.argv", ["livebot", "engines"])

    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("deep", [False, True])
def test_output_that_nobody_reads_ends_a_command_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deep: bool
) -> None:
    """As with `| head -1`, however deep in task groups. Spec: command-line/Exit codes."""
    reader, writer = os.pipe()
    os.close(reader)

    def show() -> None:
        try:
            sys.stdout.write("words")
            sys.stdout.flush()
        except BrokenPipeError as exc:
            if deep:
                raise ExceptionGroup("", [ExceptionGroup("", [exc])]) from None
            raise

    monkeypatch.setattr("livebot.stt.registry.available", show)
    # Closing it would write what is left, as Python does at its end, where the command sees to it.
    with suppress(BrokenPipeError), os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert run(monkeypatch, "engines") == 1

    assert capsys.readouterr().err == ""


def test_pipe_that_breaks_elsewhere_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the one of stdout is the outside world's."""

    def fail() -> None:
        raise ExceptionGroup("", [BrokenPipeError()])

    monkeypatch.setattr("livebot.stt.registry.available", fail)
    monkeypatch.setattr("sys.argv", ["livebot", "engines"])
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        with pytest.RaisesGroup(BrokenPipeError, flatten_subgroups=True):
            cli.main()


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The version is told."""
    assert run(monkeypatch, "version") == 0
    assert f"livebot {__version__}" in capsys.readouterr().out


def test_engines_are_listed_in_their_order_of_preference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of several, each shows its place. Spec: engines/Failover."""
    monkeypatch.setenv("LT_ENGINE", "moshi,local")

    assert run(monkeypatch, "engines", "--no-check") == 0
    assert capsys.readouterr().out.splitlines() == [
        "kyutai",
        "local (choice 2)",
        "moshi (choice 1)",
        "whisper",
    ]


def test_engines_are_listed_without_trying(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chosen one is marked. Spec: command-line/Engines."""
    assert run(monkeypatch, "engines", "--no-check") == 0
    assert capsys.readouterr().out.splitlines() == [
        "kyutai",
        "local (chosen)",
        "moshi",
        "whisper",
    ]


def test_chosen_engine_that_does_not_work_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others may be without their settings; the chosen one may not. Spec: command-line/Engines."""
    works: dict[str, bool] = {"kyutai": False, "local": True}

    def load(name: str, _: object) -> ScriptedEngine:
        if not works[name]:
            raise ConfigError("set STT_STREAM_URL")
        return ScriptedEngine()

    monkeypatch.setattr(registry, "load", load)
    monkeypatch.setattr(registry, "available", lambda: list(works))

    assert run(monkeypatch, "engines") == 0
    monkeypatch.setenv("LT_ENGINE", "kyutai")
    assert run(monkeypatch, "engines") == 1

    last = capsys.readouterr().out.splitlines()[-2:]
    assert last == [
        "FAIL engine kyutai (chosen): set STT_STREAM_URL",
        "ok   engine local: scripted",
    ]


def test_doctor_hides_secrets_and_names_cures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing works, everything is tried, no secret is shown. Spec: command-line/Doctor."""
    monkeypatch.setenv("LT_HPB_URL", "ws://127.0.0.1:1")
    monkeypatch.setenv("LT_INTERNAL_SECRET", "hunter2")
    monkeypatch.setenv("LT_API_KEYS", "ops:hunter2hunter2hunter2")
    monkeypatch.setenv("STT_STREAM_URL", "ws://127.0.0.1:1/?auth_id=hunter2")
    monkeypatch.setenv("LT_ENGINE", "nonsense")
    monkeypatch.setenv(
        "LT_ICE_SERVERS", '[{"urls": "turn:t", "username": "u", "credential": "hunter2"}]'
    )

    assert run(monkeypatch, "doctor") == 1

    printed = capsys.readouterr().out
    assert "hunter2" not in printed
    assert "ops: hidden" in printed
    assert "turn:t" in printed
    assert "ok   settings" in printed
    assert "FAIL signaling server" in printed
    assert "Check LT_HPB_URL" in printed
    assert "FAIL engine nonsense" in printed


def test_demo_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's exit code is the command's."""
    asked = {}

    def play(**options: object) -> int:
        asked.update(options)
        return 1

    monkeypatch.setattr("livebot.demo.main.run", play)

    assert run(monkeypatch, "demo", "--once", "--json", "--port", "7") == 1
    assert asked == {"once": True, "as_json": True, "host": "127.0.0.1", "port": 7}


def test_doctor_without_settings_tries_what_it_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing is named, and the engine tried all the same. Spec: command-line/Doctor."""
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())

    assert run(monkeypatch, "doctor") == 1

    printed = capsys.readouterr().out
    assert "FAIL settings: LT_HPB_URL is not set" in printed
    assert "FAIL signaling server: not tried" in printed
    assert "ok   engine local: scripted" in printed
