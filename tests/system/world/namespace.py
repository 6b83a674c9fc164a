"""A network of the test session's own.

The pytest process itself moves its main thread into a new, nameless network namespace, and
whatever it starts from then on (servers, browser, bot, sockets of its own) is born there. So
tests talk to all of them directly; no packet can leave, two runs cannot meet, and every port
is free. Nothing needs to be cleaned up, not even after a crash: the kernel removes the
namespace and its links with the last process in it, and no process outlives the session
(`process.py`). A name, as `ip netns add` gives one, would have to be removed by somebody.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = "10.77.77.1"
"""Where media flows: neither Janus nor aioice gathers candidates on 127.0.0.1."""

_CLONE_NEWNET = 0x40000000

_LINKS = (
    "link set lo up",
    "link add labhpb0 type veth peer name labhpb0p",
    f"addr add {ADDRESS}/32 dev labhpb0",
    "link set labhpb0p up",
    "link set labhpb0 up",
)


@contextmanager
def private_network() -> Iterator[None]:
    """Move the calling thread, and all that it starts, into a network of its own.

    To be entered before the first event loop, since open sockets stay where they are.

    Raises:
        OSError: Root's rights are missing.
    """
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", _CLONE_NEWNET)
        try:
            for line in _LINKS:
                subprocess.run(["ip", *line.split()], check=True)
            yield
        finally:
            _call("setns", outside, _CLONE_NEWNET)
    finally:
        os.close(outside)


def is_private() -> bool:
    """Return whether the calling thread is in such a network."""
    return "labhpb0:" in Path("/proc/thread-self/net/dev").read_text(encoding="ascii")


def _call(function: str, *args: int) -> None:
    # Python has os.unshare and os.setns since 3.12 only.
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*args):
        error = ctypes.get_errno()
        raise OSError(error, f"{function}: {os.strerror(error)}")
