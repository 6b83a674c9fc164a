"""Locks on files: the system lets go of one however its owner ends."""

import fcntl
import os
from pathlib import Path


def locked(file: Path) -> int | None:
    """Return a descriptor that holds a file's lock; None where somebody else does.

    The file is made where it is not there; a link in its place is not followed. To let go, close
    the descriptor.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        number = os.open(file, flags, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number
