"""Files of uploads, one call at a time; all of it blocks.

Who writes a file, or waits for what becomes of it, holds its lock; the system lets go of it
however that process ends. A file that nobody holds and no job needs is a left-over.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

_MB = 1 << 20

SPARE_BYTES = 256 * _MB
SPARE_SHARE = 0.05
"""What uploads leave free: the smaller of both, so that database and logs go on."""

_NAME = re.compile(r"[0-9a-f]{32}")
_ATTEMPTS = 3
_AT_ONCE = 64


def name() -> str:
    """Return a name that says nothing."""
    return secrets.token_hex(16)


def prepare(folder: Path) -> None:
    """Make the folder; what is in it is nobody else's to read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def create(path: Path) -> int:
    """Make an empty file, and return its descriptor, which holds its lock."""
    for _ in range(_ATTEMPTS):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Somebody who cleans up may have been faster.
        if _lock(number) and os.fstat(number).st_nlink:
            return number
        os.close(number)
        path.unlink(missing_ok=True)
    raise OSError("files in it cannot be locked")


def is_held(path: Path) -> bool:
    """Say whether somebody, this process included, holds the lock of a file."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _lock(number)
    finally:
        os.close(number)


def write_all(number: int, block: bytes) -> None:
    """Write all of a block."""
    left = memoryview(block)
    while left:
        left = left[os.write(number, left) :]


def free(folder: Path) -> int:
    """Return how many bytes uploads may still take; negative where the disk is nearly full."""
    found = shutil.disk_usage(folder)
    return found.free - int(min(SPARE_BYTES, SPARE_SHARE * found.total))


def remove(path: Path) -> None:
    """Remove a file that may be gone."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def unheld(folder: Path) -> Generator[dict[Path, int], None, None]:
    """Yield the files that nobody holds, some at a time, locked until the next are asked for."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if _NAME.fullmatch(entry.name))
    for at in range(0, len(names), _AT_ONCE):
        found: dict[Path, int] = {}
        try:
            for name in names[at : at + _AT_ONCE]:
                with suppress(OSError):
                    number = os.open(
                        folder / name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                    )
                    found[folder / name] = number
                    if not _lock(number):
                        os.close(found.pop(folder / name))
            yield found
        finally:
            for number in found.values():
                os.close(number)


def _lock(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
