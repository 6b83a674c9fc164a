"""How much memory there is and how much is used. Reads files: not for the event loop."""

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

MEBIBYTE = 1 << 20

_SHARE = 0.85
"""Of a container's limit: above it, the kernel would soon end the process."""

_UNLIMITED = 1 << 60
"""Bytes; version 1 of the control groups says it by a number that no machine has."""


def used_mb() -> float:
    """Return the resident memory of this process and all that descend from it, in MiB."""
    own = psutil.Process()
    found = 0
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            found += process.memory_info().rss
    return found / MEBIBYTE


def limit_mb(
    groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> float:
    """Return how much the service may use before it takes no more, in MiB; infinite if all.

    Args:
        groups: In which control groups this process is.
        root: Where the control groups are mounted.
    """
    limits = [limit for file in _limit_files(groups, root) if (limit := _read(file))]
    return min(limits) * _SHARE / MEBIBYTE if limits else math.inf


def _limit_files(groups: Path, root: Path) -> Iterator[Path]:
    """Yield where a limit may stand: of the process's groups and of all around them."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            yield base / group / name


def _read(file: Path) -> int | None:
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):
        return None  # not there, or "max"
    return limit if limit < _UNLIMITED else None
