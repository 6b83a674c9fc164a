"""What is told while recordings are recognised."""

import io

import pytest
from rich.console import Console

from livebot.cli.transcribing.screen import Bars, Lines, Screen
from livebot.stt.models import Download


def terminal(width: int = 100) -> Console:
    """Return a terminal that keeps what it is sent."""
    return Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)


def shown(console: Console) -> str:
    """Return what it was sent."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def tell(screen: Screen) -> None:
    """Tell a screen one thing of each kind."""
    with screen:
        screen.note("left out 1")
        screen.download(Download("base", "model.bin", 50, 100))
        screen.progress("a[b].wav", 1.0, 2.0)
        screen.problem("a\n.wav", "it is so; do that")
        screen.finished("a[b].wav")
        screen.finished("never begun")


def test_lines_for_files() -> None:
    """No bars and no colours. Spec: command-line/Progress."""
    console = Console(file=io.StringIO(), highlight=False, width=20)
    tell(Lines(console))
    assert shown(console) == "left out 1\na\\n.wav: it is so; do that\n"


def test_quiet() -> None:
    """Problems only."""
    console = Console(file=io.StringIO(), highlight=False)
    tell(Lines(console, quiet=True))
    assert shown(console) == "a\\n.wav: it is so; do that\n"


def test_bars_for_terminals() -> None:
    """They are gone in the end. Spec: command-line/Progress."""
    console = terminal()
    with Bars(console) as bars:
        bars.note("left out 1")
        bars.download(Download("base", "model.bin", 50, 100))
        bars.progress("a[b].wav", 1.0, 2.0)
        bars.problem("c.wav", "it is so; do that")
    text = shown(console)
    for part in (
        "left out 1",
        "model base",
        "50/100 bytes",
        "a[b].wav",
        "0:01/0:02",
        "c.wav: it is so; do that",
    ):
        assert part in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")


@pytest.mark.parametrize("total", [0.0, 0.5])
def test_a_length_that_nobody_knows_or_that_is_wrong(total: float) -> None:
    """How much has been heard is shown nevertheless."""
    console = terminal()
    with Bars(console) as bars:
        bars.progress("a.wav", 61.0, total)
    assert ("1:01/1:01" if total else "1:01") in shown(console)


def test_long_names_are_cut() -> None:
    """Their ends differ more than their beginnings."""
    console = terminal()
    with Bars(console) as bars:
        bars.progress("x" * 100 + "end.wav", 1.0, 2.0)
    assert "...xxxxxxxxxxxxxxxxxxxxend.wav" in shown(console)


def test_others_have_the_terminal_while_bars_are_paused() -> None:
    """The bars come back."""
    console = terminal()
    with Bars(console) as bars:
        bars.progress("a.wav", 1.0, 2.0)
        with bars.paused():
            before = shown(console)
            console.file.write("text")
            assert shown(console) == before + "text"
        bars.progress("a.wav", 2.0, 2.0)
    assert "0:02/0:02" in shown(console).split("text")[1]


def test_what_is_finished_is_shown_no_more() -> None:
    """Whether or not it ever was."""
    console = terminal()
    with Bars(console) as bars:
        bars.progress("a[b].wav", 1.0, 2.0)
        bars.note("before")
        bars.finished("a[b].wav")
        bars.finished("never begun")
        bars.note("after")
    before, after = shown(console).split("after")
    assert "a[b].wav" in before
    assert "a[b].wav" not in after
