"""Words as they come."""

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.cli.listening.screen import (
    JsonWords,
    PlainWords,
    TerminalWords,
    Words,
    words_for,
)
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

EVENTS: list[SttEvent] = [
    Tentative("an"),
    Word("And", 0.0, 0.5),
    Tentative("so on"),
    Word("so", 0.5, 1.0),
    Word(",", 1.0, 1.0, joined=True),
    Pause(),
    Pause(),
    Word("my", 2.0, 2.5),
]


def tell(words: Words) -> None:
    """Tell all of it."""
    for event in EVENTS:
        words.show(event)
    words.end()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An object per event. Spec: command-line/Live sound."""
    tell(JsonWords())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"type": "tentative", "text": "an"}
    assert lines[1] == {"type": "word", "text": "And", "start": 0.0, "end": 0.5}
    assert lines[4]["joined"] is True
    assert lines[-3:] == [
        {"type": "pause"},
        {"type": "word", "text": "my", "start": 2.0, "end": 2.5},
        {"type": "end"},
    ]


def test_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """A line per utterance, and only what will not change. Spec: command-line/Live sound."""
    tell(PlainWords())
    assert capsys.readouterr().out == "And so,\nmy\n"


def test_each_word_is_there_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Not only its line."""
    words = PlainWords()
    words.show(Word("And"))
    assert capsys.readouterr().out == "And"


def screen(text: str) -> list[str]:
    """Return what a terminal shows in the end: a clear of the line takes away what is on it."""
    lines = [line.split("\r\x1b[2K")[-1] for line in text.split("\n")]
    return [re.sub("\x1b\\[[0-9]*m", "", line) for line in lines]


def test_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What may change is dim and goes away. Spec: command-line/Live sound."""
    tell(TerminalWords(80))
    text = capsys.readouterr().out
    assert screen(text) == ["And so,", "my", ""]
    assert "And \x1b[2mso on\x1b[0m" in text


def test_terminal_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    """What may change could not be told from what will not."""
    tell(TerminalWords(80, colour=False))
    text = capsys.readouterr().out
    assert screen(text) == ["And so,", "my", ""]
    assert "\x1b[2m" not in text
    assert "so on" not in text


@given(
    st.lists(
        st.one_of(
            st.builds(Word, st.text("ab国", min_size=1, max_size=12), joined=st.booleans()),
            st.builds(Tentative, st.text("ab 国", max_size=60)),
            st.just(Pause()),
        ),
        max_size=30,
    ),
    st.integers(10, 40),
)
def test_no_line_is_wider_than_the_terminal(events: list[SttEvent], width: int) -> None:
    """And no word is lost."""
    kept = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", kept)
        words = TerminalWords(width)
        for event in events:
            words.show(event)
        words.end()
    lines = kept.getvalue().replace("\r\x1b[2K", "\n").split("\n")
    wide = max(20, width)
    for line in lines:
        plain = re.sub("\x1b\\[[0-9]*m", "", line)
        assert sum(2 if mark == "国" else 1 for mark in plain) < wide + 4
    spoken = "".join(event.text for event in events if isinstance(event, Word))
    assert "".join(screen(kept.getvalue())).replace(" ", "") == spoken


def test_what_suits_where_words_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs, terminals, files."""
    stdout = io.StringIO()
    assert isinstance(words_for(stdout, as_json=True, colour=True, width=80), JsonWords)
    assert isinstance(words_for(stdout, as_json=False, colour=True, width=80), PlainWords)
    monkeypatch.setattr(stdout, "isatty", lambda: True)
    assert isinstance(words_for(stdout, as_json=False, colour=True, width=80), TerminalWords)
