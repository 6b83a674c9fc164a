"""A folder for the files that a process has for a moment; what crashes leave is found by age.

The owner holds a lock on its folder for as long as it lives, and the system lets go of it
however the owner ends: a folder without a lock is nobody's. Process ids would say less, since
containers that share a folder count theirs each by itself.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livebot import logs
from livebot.errors import ConfigError
from livebot.fetch.locks import locked

log = logs.get("fetch")

PREFIX = "livebot-spool-"
_OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
_LOCK = ".lock"
_ATTEMPTS = 3


@contextmanager
def spool(
    parent: Path | None = None, *, retention_s: float = 3600.0, cleanup: bool = True
) -> Iterator[Path]:
    """Make a folder of mode 0700, and remove it in the end with all that is in it.

    Args:
        parent: Where; None for the system's folder for temporary files.
        retention_s: Folders of processes that crashed are removed from `parent` when nothing
            was changed in them for so long.
        cleanup: Whether anything is removed at all.

    Raises:
        ConfigError: No folder can be made there.
    """
    place = parent or Path(tempfile.gettempdir())
    folder, lock = _made(place)
    try:
        if cleanup:
            clean(place, older_s=retention_s)
        yield folder
    finally:
        if cleanup:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clean(place: Path, *, older_s: float) -> int:
    """Remove what crashed processes left; return how many folders that were.

    Args:
        place: Where to look; nothing in it is touched but folders that `spool` made for us.
        older_s: For how long nothing may have changed in them.
    """
    removed = 0
    for folder in _left(place, time.time() - older_s):
        lock = locked(folder / _LOCK)
        if lock is None:
            continue
        try:
            shutil.rmtree(folder)
            removed += 1
        except OSError as exc:
            log.warning("spool_not_removed", reason=exc.strerror)
        finally:
            os.close(lock)
    if removed:
        log.info("spools_removed", folders=removed)
    return removed


def _made(place: Path) -> tuple[Path, int]:
    """Make a folder and lock it; another one where a cleaner was faster."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            if (lock := locked(folder / _LOCK)) is not None:
                return folder, lock
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as exc:
        raise ConfigError(
            f"LT_TEMP_DIR: no folder can be made there ({exc.strerror}): name one to write to"
        ) from exc
    raise ConfigError("LT_TEMP_DIR: files there cannot be locked: name a folder on a local disk")


def _left(place: Path, before: float) -> Iterator[Path]:
    """Yield folders of our kind in which nothing has changed since then."""
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        try:
            found = entry.stat(follow_symlinks=False)
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        is_ours = is_folder and _OURS.fullmatch(entry.name) and found.st_uid == os.geteuid()
        if is_ours and found.st_mtime <= before:
            yield Path(entry.path)
