"""Files that are there as a whole or not at all."""

import errno
import os
import secrets
from pathlib import Path

from livebot.errors import LivebotError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class WritingError(LivebotError):
    """A transcript cannot be written; the text names the file and the cure."""


def write_file(path: Path, text: str) -> None:
    """Write a text as UTF-8: beside the file first, then in its place. Makes folders.

    Raises:
        WritingError: It cannot be done; what was there is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            # A pipe, or /dev/null: nothing can take its place.
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text.encode("utf-8", "surrogateescape"))
    except OSError as exc:
        raise WritingError(f"{path} cannot be written: {why(exc)}") from exc


def why(exc: OSError) -> str:
    """Return what stands in the way of writing, and the cure."""
    if exc.errno in _FULL:
        return "the disk is full: make room, or name another --output"
    if exc.errno in _FORBIDDEN:
        return "it is not allowed there: name another --output"
    return f"{exc.strerror or exc}: name another --output"


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            # Disks may say only now that they are full.
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
