"""The file of a job becomes the audio of its transcript, where everybody agreed."""

import asyncio
import re
import shutil
from pathlib import Path

from livebot.errors import StoreError
from livebot.store import contract
from livebot.store.records import Job

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")


async def keep(store: contract.Audio, job: Job, duration: float) -> None:
    """Move the file, and note it.

    Raises:
        StoreError: That does not work; the file stays where it was.
    """
    found = _SUFFIX.fullmatch(Path(job.name).suffix)
    name = f"{job.id}{found.group().lower() if found else ''}"
    try:
        await asyncio.to_thread(shutil.move, job.path, store.folder / name)
    except OSError as exc:
        raise StoreError(f"the audio of a job cannot be kept: {exc.strerror or exc}") from exc
    await store.add(job.id, person="", start=0.0, end=duration, name=name)
