"""Opening what somebody named as a recording: regular files only, and only for reading."""

import errno
import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path

from livebot.errors import RecordingError

_CURES = {
    errno.ENOENT: "there is no such file; check its name",
    errno.ENOTDIR: "there is no such file; check its name",
    errno.ENAMETOOLONG: "there is no such file: its name is too long; check it",
    errno.EACCES: "no permission to read it; change its permissions, or ask its owner",
    errno.EPERM: "no permission to read it; change its permissions, or ask its owner",
    errno.ELOOP: "the link leads back to itself; name the file itself",
    errno.EMFILE: "too many files are open; close some, or raise the limit (ulimit -n)",
}
_KINDS = {
    stat.S_IFDIR: "a folder, not a file; name the sound files in it",
    stat.S_IFIFO: "a pipe, not a file; save what comes out of it to a file first",
    stat.S_IFSOCK: "a socket, not a file; save what comes out of it to a file first",
    stat.S_IFCHR: "a device, not a file; record from it to a file first",
    stat.S_IFBLK: "a device, not a file; copy the sound file from it first",
}


def open_file(path: Path) -> FileIO:
    """Open a regular file that is not empty.

    Raises:
        RecordingError: It is not there, may not be read, is empty, or no regular file.
    """
    try:
        # To open a device can do something, and to open a pipe can take for ever.
        _check(path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as exc:  # A zero byte in the name.
        raise RecordingError(_CURES[errno.ENOENT]) from exc
    except OSError as exc:
        raise unreadable(exc) from exc
    file = FileIO(descriptor)
    try:
        _check(os.fstat(descriptor))
    except RecordingError:
        file.close()
        raise
    return file


def unreadable(exc: OSError) -> RecordingError:
    """Say why the operating system does not let us read; its own words have the path in them."""
    if exc.errno in _CURES:
        return RecordingError(_CURES[exc.errno])
    reason = "unknown error"
    with suppress(TypeError, ValueError):
        reason = os.strerror(exc.errno or 0)
    return RecordingError(f"the file cannot be read ({reason}); copy it to another disk")


class Source:
    """A file for a decoder: it knows no name, and remembers why it could not be read.

    A name is no reason to take a file for anything, and PyAV prints what is raised here.

    Args:
        file: Open, at any position.
    """

    name = ""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.failure: OSError | None = None
        """Why reading failed; then it looks as if the file ended there."""
        self.seek(0)

    def read(self, size: int) -> bytes:
        """Return some bytes, at most so many; none at the end."""
        try:
            return self._file.read(size) or b""
        except OSError as exc:
            self.failure = exc
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Return the new position; -1 where there is no such one."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = stat.S_IFMT(found.st_mode)
        raise RecordingError(_KINDS.get(kind, "not a regular file; name a sound file"))
    if not found.st_size:
        raise RecordingError("the file is empty (0 bytes); copy or record it again")
