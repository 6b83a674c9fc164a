"""What is printed, and where."""

import pytest
from pydantic import SecretStr

from livebot.cli.console import complain, one_line, revealed
from livebot.errors import ConfigError, EngineError


def test_one_line() -> None:
    """Whatever a file is called, a terminal does nothing odd."""
    assert one_line("a\nb\x1b[31m\u202eö[red]") == "a\\nb\\x1b[31m\\u202eö[red]"
    assert one_line("a\udcff") == "a\\udcff"


def test_problems_are_lines_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long. Spec: command-line/Exit codes."""
    monkeypatch.setenv("COLUMNS", "20")
    complain(ExceptionGroup("", [ConfigError("one " * 20 + ".", "two"), EngineError("three")]))
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["one " * 20 + ".", "two", "three"]
    assert printed.out == ""


def test_revealed() -> None:
    """A secret, or none."""
    assert (revealed(SecretStr("x")), revealed(None)) == ("x", None)
