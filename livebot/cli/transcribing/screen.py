"""What is shown on stderr while recordings are recognised: lines, and bars on a terminal."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from livebot.cli.console import err, one_line, print_problem
from livebot.stt.models import Download
from livebot.transcripts.clock import short

_NAME = 30
"""Columns for a recording's name beside its bar."""


class Screen(Protocol):
    """Where it is told how things are; a context, because terminals must be given back."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *exc: object) -> None:
        """Give the terminal back."""

    def note(self, line: str) -> None:
        """Tell something that is good to know."""

    def problem(self, name: str, text: str) -> None:
        """Tell what does not work with a recording, and the cure."""

    def download(self, download: Download) -> None:
        """Show how far the download of a model is."""

    def progress(self, name: str, heard_s: float, total_s: float) -> None:
        """Show how far a recording is; its length is 0 where nobody knows it."""

    def finished(self, name: str) -> None:
        """Show no more of a recording."""

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to others for a moment."""


class Lines:
    """Lines only.

    Args:
        console: Where to; stderr without it.
        quiet: Whether only problems are told.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or err()
        self._quiet = quiet

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held."""

    def note(self, line: str) -> None:
        """Tell something that is good to know."""
        if not self._quiet:
            self._console.print(Text(one_line(line), style="dim"), soft_wrap=True)

    def problem(self, name: str, text: str) -> None:
        """Tell what does not work with a recording, and the cure."""
        print_problem(self._console, f"{name}: {text}")

    def download(self, download: Download) -> None:
        """Nothing is shown."""

    def progress(self, name: str, heard_s: float, total_s: float) -> None:
        """Nothing is shown."""

    def finished(self, name: str) -> None:
        """Nothing is shown."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is in the way."""
        yield


class Bars(Lines):
    """Bars below the lines, while something goes on; gone when it is done.

    Args:
        console: A terminal; stderr without it.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self._recordings = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Position(),
            _Speed(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._downloads = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._shown: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __exit__(self, *exc: object) -> None:
        """Take the bars away."""
        self._show(None)

    def download(self, download: Download) -> None:
        """Show how far the download of a model is."""
        self._show(self._downloads)
        task = self._task(self._downloads, f"model {download.name}")
        self._downloads.update(
            task, completed=download.done_bytes, total=download.total_bytes or None
        )

    def progress(self, name: str, heard_s: float, total_s: float) -> None:
        """Show how far a recording is."""
        self._show(self._recordings)
        task = self._task(self._recordings, name)
        # What a file says of its length is not always true.
        total = max(heard_s, total_s) if total_s else None
        self._recordings.update(task, completed=heard_s, total=total)

    def finished(self, name: str) -> None:
        """Take a recording's bar away."""
        if name in self._tasks:
            self._recordings.remove_task(self._tasks.pop(name))
            self._recordings.refresh()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bars away for a moment."""
        shown = self._shown
        self._show(None)
        try:
            yield
        finally:
            self._show(shown)

    def _show(self, wanted: Progress | None) -> None:
        """Have one of both on the screen, since rich can show but one."""
        if wanted is self._shown:
            return
        if self._shown is not None:
            self._shown.stop()
        self._shown = wanted
        if wanted is not None:
            wanted.start()

    def _task(self, bars: Progress, name: str) -> TaskID:
        if name not in self._tasks:
            text = one_line(name)
            text = text if len(text) <= _NAME else f"...{text[3 - _NAME :]}"
            self._tasks[name] = bars.add_task(text.replace("[", r"\["), total=None)
        return self._tasks[name]


class _Position(ProgressColumn):
    """Shows `0:42/3:20`."""

    def render(self, task: Task) -> Text:
        """Return it."""
        total = f"/{short(task.total)}" if task.total else ""
        return Text(f"{short(task.completed)}{total}", style="progress.download")


class _Speed(ProgressColumn):
    """Shows `12.3x`, times as fast as one would listen."""

    def render(self, task: Task) -> Text:
        """Return it."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}x" if speed else "", style="progress.data.speed")
