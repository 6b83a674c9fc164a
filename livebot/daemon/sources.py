"""Where the files of requests come from: other machines, or allowed folders of this one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from livebot.errors import FetchError
from livebot.fetch.http import Limits, fetch
from livebot.fetch.paths import allowed_file

MAX_FETCHED = 16
"""Fetched files on the disk at a time, from the first byte until they are recognised."""


class Sources:
    """Makes files of what requests name.

    Args:
        spool: The folder for what is fetched.
        limits: What may be fetched.
        folders: What lies below them may be read.
        cleanup: Whether what was fetched is removed after use.
    """

    def __init__(
        self, spool: Path, limits: Limits, folders: Sequence[Path], *, cleanup: bool = True
    ) -> None:
        self._spool = spool
        self._limits = limits
        self._folders = folders
        self._cleanup = cleanup
        self._turns = asyncio.Semaphore(MAX_FETCHED)

    @asynccontextmanager
    async def file(self, source: str) -> AsyncIterator[Path]:
        """Have a file for as long as the context lasts.

        Args:
            source: A URL of http, https or `file:`, or a path.

        Raises:
            FetchError: It may not be had, or cannot be.
        """
        scheme, is_url = _scheme(source)
        if scheme in ("http", "https"):
            async with self._turns:
                path = await fetch(source, self._spool, self._limits)
                try:
                    yield path
                finally:
                    if self._cleanup:
                        await asyncio.to_thread(path.unlink, missing_ok=True)
        elif is_url and scheme != "file":
            raise FetchError("only addresses of http, https and file are fetched")
        else:
            yield await asyncio.to_thread(allowed_file, source, self._folders)


def _scheme(source: str) -> tuple[str, bool]:
    """Return what stands before the colon, and whether that makes it a URL."""
    scheme, mark, rest = source.partition(":")
    is_url = bool(mark) and scheme.isalnum() and (rest.startswith("//") or scheme == "file")
    return scheme.lower(), is_url
