"""The file that keeps the wanted rooms over a restart. Everything here blocks.

The file is replaced as a whole, so whoever reads it after a crash finds the old rooms or the
new ones. It can be read by its owner only, because it has the credentials of TURN servers.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from livebot.rooms.wanted import WantedRoom, decode, encode

FILE = "rooms.json"
SET_ASIDE = "rooms.json.bad"
_NEW = "rooms.json.new"

MAX_BYTES = 16 << 20
"""A thousand rooms are half a megabyte, unless each brings many TURN servers."""


class StateFile:
    """The file in its folder, which no other process may use.

    Args:
        folder: Is made where there is none, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> tuple[WantedRoom, ...]:
        """Return the rooms; none where there is no file.

        Raises:
            OSError: It cannot be read.
            ValueError: It is not ours; the text quotes nothing of it.
        """
        self._make_folder()
        try:
            data = _read(self._folder / FILE)
        except FileNotFoundError:
            return ()
        return decode(data)

    def set_aside(self) -> bool:
        """Keep a file that cannot be used as `SET_ASIDE`; return False if not even that works."""
        try:
            (self._folder / FILE).replace(self._folder / SET_ASIDE)
        except OSError:
            return False
        return True

    def save(self, rooms: Iterable[WantedRoom]) -> None:
        """Replace the rooms; they survive a loss of power.

        Raises:
            OSError: They cannot be written; the file is as it was.
            ValueError: They are too many.
        """
        data = encode(rooms)
        if len(data) > MAX_BYTES:
            raise ValueError("too many rooms")
        self._make_folder()
        new = self._folder / _NEW
        try:
            _write(new, data)
            new.replace(self._folder / FILE)
        finally:
            # After a fault, so that a full disk is not made fuller.
            new.unlink(missing_ok=True)
        _sync(self._folder)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _read(path: Path) -> bytes:
    # Not to wait where somebody put a pipe.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("is not a file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("is too large")
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a new file, readable by its owner only, down to the disk."""
    path.unlink(missing_ok=True)
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(new, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Have the new name survive a loss of power too, where the file system can do that."""
    found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):
        os.fsync(found)
    os.close(found)
