"""The options of `livebot transcribe`."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from livebot import cli
from livebot.cli.transcribing import run as module
from livebot.cli.transcribing.run import Order
from livebot.settings import Settings
from livebot.stt.host.options import HostOptions


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the machine's settings out, and put the logging back."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Order, HostOptions]]:
    """Return what is asked for, in place of doing it."""
    found: list[tuple[Order, HostOptions]] = []

    def note(order: Order, options: HostOptions, _: Settings) -> int:
        found.append((order, options))
        return 0

    monkeypatch.setattr(module, "transcribe", note)
    return found


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit code."""
    monkeypatch.setattr("sys.argv", ["livebot", "transcribe", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_without_options(
    monkeypatch: pytest.MonkeyPatch, orders: list[tuple[Order, HostOptions]]
) -> None:
    """The language is found out, and the text goes to stdout."""
    assert run(monkeypatch, "a.wav", "-") == 0
    ((order, options),) = orders
    assert order == Order(files=["a.wav", "-"])
    assert (options.model, options.device) == ("moonshine-tiny-en", "auto")


def test_all_options(
    monkeypatch: pytest.MonkeyPatch, orders: list[tuple[Order, HostOptions]]
) -> None:
    """Each reaches what it is for."""
    text = (
        "a.wav -m base -l de --translate -f srt,vtt -f md -o out --words --json --force -q"
        " --speakers 3 --device cpu --workers 2"
    )
    assert run(monkeypatch, *text.split()) == 0
    ((order, options),) = orders
    assert order == Order(
        files=["a.wav"],
        language="de",
        translate=True,
        forms=("srt", "vtt", "md"),
        output="out",
        words=True,
        diarize=True,
        speakers=3,
        workers=2,
        as_json=True,
        force=True,
        quiet=True,
    )
    assert (options.model, options.device) == ("base", "cpu")


def test_diarize_alone(
    monkeypatch: pytest.MonkeyPatch, orders: list[tuple[Order, HostOptions]]
) -> None:
    """How many speakers there are is found."""
    run(monkeypatch, "a.wav", "--diarize")
    assert (orders[0][0].diarize, orders[0][0].speakers) == (True, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "FILE"),
        (["a.wav", "-f", "doc"], "have txt, srt"),
        (["a.wav", "-m", "huge"], "no model is called 'huge'"),
        (["a.wav", "--device", "tpu"], "cpu, cuda"),
        (["a.wav", "--speakers", "0"], "--speakers"),
    ],
)
def test_wrong_use(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    orders: list[tuple[Order, HostOptions]],
    arguments: list[str],
    said: str,
) -> None:
    """It is said at once, with what would work. Spec: command-line/Recordings."""
    assert run(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err
    assert orders == []
