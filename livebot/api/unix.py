"""A unix socket to listen on, as the tunnel of a HaRP deployment wants it."""

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path

_OURS_ONLY = 0o600


def bind(path: Path) -> socket.socket:
    """Return a socket bound to a path; that of a process which died there is replaced.

    Raises:
        OSError: Somebody listens there, or it cannot be bound.
    """
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_deserted(path):
            path.unlink()
        found.bind(str(path))
        path.chmod(_OURS_ONLY)
    except BaseException:
        found.close()
        raise
    return found


def remove(path: Path) -> None:
    """Take the socket's name away."""
    with suppress(OSError):
        path.unlink()


def _is_deserted(path: Path) -> bool:
    """Say whether there is a socket that nobody listens on.

    Raises:
        OSError: Somebody does.
    """
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
