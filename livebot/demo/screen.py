"""Where captions go in the terminal: lines for people, or JSON for programs."""

import json
import sys
from typing import Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from livebot.demo.client import Heard

_COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Screen(Protocol):
    """What the demo shows; a context, because some screens must be given back."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *exc: object) -> None:
        """Give the terminal back."""

    def page(self, url: str) -> None:
        """Say where the page is."""

    def waiting(self, what: str) -> None:
        """Say what is being waited for; nothing when it is there."""

    def problem(self, text: str) -> None:
        """Say what does not work, while the rest goes on."""

    def caption(self, heard: Heard) -> None:
        """Show a caption."""


class JsonScreen:
    """Complete captions as JSON lines on stdout, everything else on stderr."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held."""

    def page(self, url: str) -> None:
        """Say where the page is."""
        print(f"page: {url}", file=sys.stderr)  # noqa: T201  # a program's output

    def waiting(self, what: str) -> None:
        """Say what is being waited for."""
        if what:
            print(f"waiting for {what} ...", file=sys.stderr)  # noqa: T201

    def problem(self, text: str) -> None:
        """Say what does not work."""
        print(text, file=sys.stderr)  # noqa: T201

    def caption(self, heard: Heard) -> None:
        """Print a caption once it is complete."""
        if not heard.final:
            return
        line = {
            "speaker": heard.speaker,
            "text": heard.text,
            "final": heard.final,
            "start": heard.start,
            "end": heard.end,
            "language": heard.language,
        }
        line |= {"history": True} if heard.history else {}
        print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201


class TerminalScreen:
    """Complete captions scroll by; below them grow those of who speaks now.

    Args:
        console: Where to; stdout without it.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live = Live(console=self._console, transient=True, refresh_per_second=12)
        self._growing: dict[str, Heard] = {}
        self._colours: dict[str, str] = {}
        self._waiting = ""
        self._spinner = Spinner("dots")

    def __enter__(self) -> Self:
        """Begin."""
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Give the terminal back."""
        self._live.stop()

    def page(self, url: str) -> None:
        """Print the header."""
        self._console.print(Rule(Text("livebot demo", style="bold")))
        self._console.print(
            Text.assemble("Read and join in: ", (url, "bold underline"), "   Ctrl-C ends")
        )
        self._console.print()

    def waiting(self, what: str) -> None:
        """Show a spinner with what is being waited for."""
        self._waiting = what
        self._refresh()

    def problem(self, text: str) -> None:
        """Print what does not work, among the captions."""
        self._console.print(Text(text, style="red"), soft_wrap=True)

    def caption(self, heard: Heard) -> None:
        """Show a caption: above if it is complete, below while it grows."""
        if heard.final:
            self._growing.pop(heard.session, None)
            self._console.print(self._line(heard))
        else:
            self._growing[heard.session] = heard
        self._refresh()

    def _refresh(self) -> None:
        lines = [self._line(heard) for heard in self._growing.values()]
        if self._waiting:
            self._spinner.update(text=Text(f"waiting for {self._waiting}", style="dim"))
            self._live.update(Group(*lines, self._spinner))
        else:
            self._live.update(Group(*lines))

    def _line(self, heard: Heard) -> Table:
        colour = self._colours.setdefault(
            heard.speaker, _COLOURS[len(self._colours) % len(_COLOURS)]
        )
        table = Table.grid(padding=(0, 1))
        table.add_column(width=6, justify="right", style="dim")
        table.add_column(width=10, justify="right", style=f"bold {colour}", no_wrap=True)
        style = "dim" if heard.history else "" if heard.final else "dim italic"
        table.add_column(ratio=1, style=style)
        at = "" if heard.start is None else f"{int(heard.start) // 60}:{int(heard.start) % 60:02}"
        table.add_row(Text(at), Text(heard.speaker), Text(heard.text))
        return table
