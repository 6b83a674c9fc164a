"""Words as they come: for people at a terminal, for files, and for programs."""

from typing import Protocol, TextIO

from rich.cells import cell_len

from livebot.captions.text import newest
from livebot.cli.console import one_line
from livebot.cli.transcribing.results import json_line, print_text
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

_CLEAR = "\r\x1b[2K"
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Words(Protocol):
    """Where words are shown."""

    def show(self, event: SttEvent) -> None:
        """Show what was understood."""

    def end(self) -> None:
        """Say that nothing more comes."""


class JsonWords:
    """A line of JSON per event."""

    def show(self, event: SttEvent) -> None:
        """Print it."""
        match event:
            case Word(text=text, start=start, end=end, joined=joined):
                found = {"type": "word", "text": text, "start": start, "end": end}
                print_text(json_line(found | ({"joined": True} if joined else {})))
            case Tentative(text=text):
                print_text(json_line({"type": "tentative", "text": text}))
            case Pause():
                print_text(json_line({"type": "pause"}))

    def end(self) -> None:
        """Say that nothing more comes."""
        print_text(json_line({"type": "end"}))


class PlainWords:
    """Words that will not change, a line per utterance."""

    def __init__(self) -> None:
        self._has_begun = False

    def show(self, event: SttEvent) -> None:
        """Print a word at once."""
        match event:
            case Word(text=text, joined=joined):
                print_text(_spaced(one_line(text), joined=joined, first=not self._has_begun))
                self._has_begun = True
            case Pause():
                self.end()
            case _:
                pass

    def end(self) -> None:
        """End the line."""
        if self._has_begun:
            print_text("\n")
        self._has_begun = False


class TerminalWords:
    """The same, with what may still change behind them, dim.

    The last line of the screen is written anew with each event; what no longer fits goes up.

    Args:
        width: Columns of the terminal.
        colour: Whether it may be dim; without, what may change is not shown.
    """

    def __init__(self, width: int, *, colour: bool = True) -> None:
        # The last column stays free: terminals differ in what comes after it.
        self._width = max(20, width - 1)
        self._colour = colour
        self._line = ""

    def show(self, event: SttEvent) -> None:
        """Write the last line anew."""
        match event:
            case Word(text=text, joined=joined):
                self._add(_spaced(one_line(text), joined=joined, first=not self._line))
                self._write()
            case Tentative(text=text):
                self._write(one_line(text))
            case Pause():
                self.end()

    def end(self) -> None:
        """Begin a new line."""
        if self._line:
            self._write()
            print_text("\n")
        else:
            self._write()
        self._line = ""

    def _add(self, text: str) -> None:
        if self._line and cell_len(self._line + text) > self._width:
            print_text(f"{_CLEAR}{self._line}\n")
            self._line = text.lstrip()
        else:
            self._line += text

    def _write(self, tentative: str = "") -> None:
        room = max(0, self._width - cell_len(self._line) - 1)
        shown = newest(tentative, room) if room and self._colour else ""
        while cell_len(shown) > room:
            shown = shown[1:]
        dim = f"{' ' if self._line else ''}{_DIM}{shown}{_PLAIN}" if shown else ""
        print_text(f"{_CLEAR}{self._line}{dim}")


def words_for(stdout: TextIO, *, as_json: bool, colour: bool, width: int) -> Words:
    """Return what suits where the words go."""
    if as_json:
        return JsonWords()
    return TerminalWords(width, colour=colour) if stdout.isatty() else PlainWords()


def _spaced(text: str, *, joined: bool, first: bool) -> str:
    return text if joined or first else f" {text}"
