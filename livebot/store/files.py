"""Files beside the database: removed when what they are of is erased."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from livebot import logs

log = logs.get("store")


async def remove(files: Iterable[Path]) -> int:
    """Remove files, where they are there; return how many could not be."""
    wanted = tuple(files)
    return await asyncio.to_thread(_remove, wanted) if wanted else 0


async def found(folder: Path, before: float) -> list[str]:
    """Return the names of a folder's files that were last changed before a time."""
    return await asyncio.to_thread(_found, folder, before)


def _remove(files: Iterable[Path]) -> int:
    left = 0
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as exc:
            left += 1
            log.warning("file_not_removed", fault=type(exc).__name__)
    return left


def _found(folder: Path, before: float) -> list[str]:
    names = []
    for file in folder.rglob("*"):
        try:
            if file.is_file() and file.stat().st_mtime < before:
                names.append(file.relative_to(folder).as_posix())
        except OSError:
            continue  # somebody else removed it
    return names
