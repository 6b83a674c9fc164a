"""What is on stdout."""

import io
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.cli.transcribing.results import InOrder, json_line, print_text
from livebot.cli.transcribing.writing import WritingError


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_texts_come_in_the_order_of_their_recordings(order: list[int], failed: set[int]) -> None:
    """In whatever order they get ready, each as soon as it can."""
    printed: list[str] = []
    texts = InOrder(printed.append, headings=False)
    for number in order:
        if number in failed:
            texts.leave_out(number)
        else:
            texts.put(number, "name", str(number))
    assert printed == [str(number) for number in range(6) if number not in failed]


def test_headings() -> None:
    """As `head` shows several files."""
    printed: list[str] = []
    texts = InOrder(printed.append, headings=True)
    texts.leave_out(0)
    texts.put(1, "a.wav", "And\n")
    texts.put(2, "b.wav", "so\n")
    assert "".join(printed) == "==> a.wav <==\nAnd\n\n==> b.wav <==\nso\n"


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is() -> None:
    """Names of files are bytes."""
    line = json_line({"source": "a\udcff.wav", "segments": [{"text": "ö"}], "duration": 1.5})
    assert json.loads(line) == {
        "source": "a?.wav",
        "segments": [{"text": "ö"}],
        "duration": 1.5,
    }
    assert line.endswith("\n")


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for files. Spec: command-line/Transcripts."""
    with suppress(OSError), Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(WritingError, match="stdout cannot be written: the disk is full"):
            print_text("text")


def test_a_terminal_of_another_alphabet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure is named."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    with pytest.raises(WritingError, match="PYTHONIOENCODING"):
        print_text("Zwölf")
