"""Whether the app is enabled, kept over a restart; read and written off the loop."""

import asyncio
import os
from pathlib import Path

import structlog

log = structlog.get_logger("nextcloud")

FILE = "enabled"
_TEXT = {True: "1\n", False: "0\n"}


class EnabledFile:
    """One word on the disk. Faults are told, and the app goes on: Nextcloud knows it too.

    Args:
        folder: Where; None where nothing can be kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / FILE if folder else None
        self._turn = asyncio.Lock()

    async def load(self) -> bool:
        """Return what was kept; True where nothing was."""
        if self._file is None:
            return True
        try:
            return await asyncio.to_thread(self._file.read_text, "ascii") != _TEXT[False]
        except FileNotFoundError:
            return True
        except (OSError, UnicodeDecodeError) as exc:
            log.warning("enabled_not_read", error=type(exc).__name__)
            return True

    async def save(self, *, enabled: bool) -> None:
        """Keep it."""
        if self._file is None:
            return
        async with self._turn:
            try:
                await asyncio.to_thread(_write, self._file, _TEXT[enabled])
            except OSError as exc:
                log.warning("enabled_not_written", error=exc.strerror)


def _write(file: Path, text: str) -> None:
    """Replace the file as a whole, so that it is never half written."""
    new = file.with_suffix(".new")
    file.parent.mkdir(parents=True, exist_ok=True)
    with new.open("w", encoding="ascii") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
