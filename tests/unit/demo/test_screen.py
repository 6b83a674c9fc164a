"""What the terminal shows."""

import io
import json

import pytest
from rich.console import Console

from livebot.demo.client import Heard
from livebot.demo.screen import JsonScreen, TerminalScreen
from livebot.ids import SessionId


def heard(text: str, *, final: bool = True, speaker: str = "Ada", history: bool = False) -> Heard:
    """Return a caption."""
    return Heard(speaker, SessionId(speaker), text, final, 61.5, 62.0, "en", history)


def test_json_is_one_object_per_complete_caption(capsys: pytest.CaptureFixture[str]) -> None:
    """Growing captions and progress are not on stdout."""
    with JsonScreen() as screen:
        screen.page("http://127.0.0.1:1/")
        screen.waiting("words")
        screen.caption(heard("Zwölf", final=False))
        screen.caption(heard("Zwölf Boxkämpfer."))

    out = capsys.readouterr()
    assert [json.loads(line) for line in out.out.splitlines()] == [
        {
            "speaker": "Ada",
            "text": "Zwölf Boxkämpfer.",
            "final": True,
            "start": 61.5,
            "end": 62.0,
            "language": "en",
        }
    ]
    assert "http://127.0.0.1:1/" in out.err


def test_json_marks_what_was_said_before(capsys: pytest.CaptureFixture[str]) -> None:
    """And only that: the key is missing elsewhere, as on the wire."""
    screen = JsonScreen()
    screen.caption(heard("Before.", history=True))
    screen.caption(heard("Now."))

    found = [json.loads(line).get("history") for line in capsys.readouterr().out.splitlines()]
    assert found == [True, None]


def test_problems_are_told_and_are_no_captions(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON on stderr, where they break no program; in the terminal among the captions."""
    JsonScreen().problem("It does not work.")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "It does not work.\n")

    out = io.StringIO()
    with TerminalScreen(Console(file=out, width=80)) as screen:
        screen.problem("It does not [work].")
    assert "It does not [work]." in out.getvalue()


def _shown(*captions: Heard) -> str:
    out = io.StringIO()
    with TerminalScreen(Console(file=out, width=80)) as screen:
        screen.page("http://127.0.0.1:1/")
        for caption in captions:
            screen.caption(caption)
    return out.getvalue()


def test_terminal_shows_who_said_what_when_and_where_the_page_is() -> None:
    """A complete caption has its time, its speaker and its words on one line."""
    shown = _shown(heard("Hello."), heard("Hi.", speaker="Grace"))

    assert "http://127.0.0.1:1/" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["1:01", "Ada", "Hello."] in lines
    assert ["1:01", "Grace", "Hi."] in lines


def test_growing_caption_does_not_stay() -> None:
    """It is replaced by the complete one, and at the end it is gone."""
    shown = _shown(heard("Hel", final=False), heard("Hello."), heard("Wha", final=False))

    assert "Hello." in shown
    assert "Wha" not in shown


def test_words_are_not_taken_for_markup() -> None:
    """Square brackets in a caption are shown as they are."""
    assert "[bold]x[/]" in _shown(heard("[bold]x[/]"))
