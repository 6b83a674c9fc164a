"""The file of a job becomes the audio of its transcript, where everybody agreed."""

import asyncio
import shutil
from pathlib import Path

from livebot.errors import StoreError
from livebot.store import contract
from livebot.store.records import Job

# fmt: off
_SUFFIXES = frozenset({
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".flac", ".m4a", ".mka", ".mkv", ".mov", ".mp3",
    ".mp4", ".oga", ".ogg", ".opus", ".wav", ".weba", ".webm", ".wma",
})
# fmt: on
"""What a file may end with here: what it is taken for later is not for its sender to say."""


async def keep(store: contract.Audio, job: Job, duration: float) -> None:
    """Move the file, and note it.

    Raises:
        StoreError: That does not work; the file stays where it was.
    """
    suffix = Path(job.name).suffix.lower()
    name = job.id + (suffix if suffix in _SUFFIXES else "")
    try:
        await asyncio.to_thread(shutil.move, job.path, store.folder / name)
    except OSError as exc:
        raise StoreError(f"the audio of a job cannot be kept: {exc.strerror or exc}") from exc
    await store.add(job.id, person="", start=0.0, end=duration, name=name)
