"""From what was given on the command line to recordings."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from shutil import copyfileobj
from typing import BinaryIO, Final

from livebot.errors import ConfigError, RecordingError

STDIN: Final = "-"

# fmt: off
SUFFIXES: Final = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".avi", ".caf",
    ".flac", ".flv", ".m2ts", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3",
    ".mp4", ".mpeg", ".mpg", ".mpga", ".oga", ".ogg", ".ogv", ".opus", ".ra", ".snd", ".spx",
    ".ts", ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wmv", ".wv",
})
# fmt: on
"""Names that recordings have; within folders, other files are left out."""

_OPEN: Final = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Where pipes are that a shell has opened, as for `<(ffmpeg ...)`; others may wait for ever."""

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Input:
    """One recording.

    Attributes:
        name: What the user knows it by.
        path: Where it can be read.
        target: Where its transcript belongs below an output folder, but for the ending.
    """

    name: str
    path: Path
    target: PurePath


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    Attributes:
        inputs: The recordings, in order, each once.
        faults: Names of what cannot be read, and why, with the cure.
        notes: What was left out.
    """

    inputs: list[Input] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find(arguments: Sequence[str], spool: Path) -> Found:
    """Look for what was given: files, folders with all that is below them, and `-`.

    Args:
        arguments: As they were given.
        spool: A folder for what comes through pipes.

    Raises:
        ConfigError: stdin is a terminal, or was given twice.
        RecordingError: There is no room for what comes through a pipe.
    """
    if arguments.count(STDIN) > 1:
        raise ConfigError("`-` is stdin, which can be read once: give it once")
    found = Found()
    seen: set[tuple[int, int]] = set()
    for number, argument in enumerate(arguments):
        for each in _look(argument, spool / f"pipe{number}", found):
            status = each.path.stat()
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                link = spool / f"link{len(found.inputs)}"
                found.inputs.append(replace(each, path=_in_text(each.path, link)))
    return found


def _in_text(path: Path, link: Path) -> Path:
    """Return another name for a file whose own is no text: workers are told names as text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        link.symlink_to(path.absolute())
        return link
    return path


def _look(argument: str, copy: Path, found: Found) -> Iterator[Input]:
    if argument == STDIN:
        yield _from_stdin(copy)
        return
    if not argument:
        # As a path it would be the current folder.
        found.faults.append(("''", _unreadable(FileNotFoundError())))
        return
    path = Path(argument)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as exc:
        found.faults.append((argument, _unreadable(exc)))
        return
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, found)
    elif stat.S_ISFIFO(mode) and argument.startswith(_OPEN):
        with path.open("rb") as pipe:
            yield Input(argument, _copied(pipe, copy), PurePath(path.stem or "pipe"))
    elif stat.S_ISREG(mode):
        yield Input(argument, path, PurePath(path.stem))
    else:
        what = "pipe" if stat.S_ISFIFO(mode) else "device"
        found.faults.append((argument, f"it is a {what} and no file; send what it gives to `-`"))


def _unreadable(exc: Exception) -> str:
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return "there is no such file; check the name"
    if isinstance(exc, PermissionError):
        return "it may not be read; check its permissions and those of its folder"
    return f"it cannot be read ({getattr(exc, 'strerror', None) or exc}); check the name"


def _from_stdin(copy: Path) -> Input:
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError(
            "`-` is stdin, which is the terminal: pipe a recording, like"
            " curl -s URL | livebot transcribe -"
        )
    return Input("stdin", _copied(sys.stdin.buffer, copy), PurePath("stdin"))


def _copied(pipe: BinaryIO, copy: Path) -> Path:
    """Keep what comes through a pipe: most formats have to be read back and forth."""
    try:
        with copy.open("wb") as file:
            copyfileobj(pipe, file, 1 << 20)
    except OSError as exc:
        raise RecordingError(
            f"what was piped cannot be kept ({exc.strerror}); make room, or set LT_TEMP_DIR to"
            " another folder"
        ) from exc
    return copy


def _in_folder(folder: Path, found: Found) -> Iterator[Input]:
    """Yield the recordings below a folder by their names, in order; say what is left out."""
    others: list[str] = []
    count = 0
    for path in _below(folder, found):
        if path.suffix.lower() not in SUFFIXES:
            others.append(str(path))
            continue
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except OSError as exc:
            found.faults.append((str(path), _unreadable(exc)))
            continue
        if is_file:
            count += 1
            yield Input(str(path), path, path.relative_to(folder).with_suffix(""))
    if others:
        shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
        found.notes.append(
            f"{folder}: left out {len(others)} by their names, which are not those of recordings:"
            f" {shown}"
        )
    if not count:
        found.faults.append(
            (str(folder), "no recordings are in this folder; name files, whatever they are called")
        )


def _below(folder: Path, found: Found) -> Iterator[Path]:
    """Yield the files below a folder but hidden ones; links to folders are not followed."""

    def cannot(exc: OSError) -> None:
        found.faults.append((str(exc.filename), _unreadable(exc)))

    for parent, folders, files in os.walk(folder, onerror=cannot):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))
