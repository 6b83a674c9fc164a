"""Download a model, whatever the network does meanwhile.

Files come one after the other, each into a part that is kept when it stops, so that another
try goes on from there; a part that is whole is compared with the hub's checksum before it
gets its name. One process at a time does so.
"""

import asyncio
import errno
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from livebot.backoff import Backoff
from livebot.errors import EngineError
from livebot.stt.models import places, store
from livebot.stt.models.catalog import FILES, Entry
from livebot.stt.models.hub import (
    LATEST,
    CutError,
    Hub,
    RefusedError,
    Remote,
    RestartError,
    host_of,
)
from livebot.stt.models.lock import only_one

_SPARE = 16 << 20
"""Bytes that must be left on the disk."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_TRIES = 2
"""So many times a file may come damaged: it may have been replaced while it came."""


@dataclass(frozen=True, slots=True)
class Download:
    """How far a download is.

    Attributes:
        name: The model.
        file: What comes just now.
        done_bytes: Of all its files; never decreasing.
        total_bytes: Of all its files.
    """

    name: str
    file: str
    done_bytes: int
    total_bytes: int


OnProgress: TypeAlias = Callable[[Download], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a network.

    Attributes:
        stall_s: How long nothing may come before the connection is given up.
        failures: How many times in a row it may fail without anything having come.
        cuts: How many times a file may be cut off in all.
        first_s: The first pause after a failure ...
        most_s: ... and the longest.
    """

    stall_s: float = 60.0
    failures: int = 5
    cuts: int = 100
    first_s: float = 0.5
    most_s: float = 15.0


class Fetching:
    """One download.

    Args:
        wanted: The model.
        folder: Where it will be.
        on_progress: Is told how far it is.
        patience: How long to bear with the network.
    """

    def __init__(
        self,
        wanted: Entry,
        folder: Path,
        on_progress: OnProgress | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._wanted = wanted
        self._folder = folder
        self._on_progress = on_progress
        self._patience = patience or Patience()
        self._done = 0
        self._told = 0
        self._total = 0

    async def run(self, source: str) -> None:
        """Download what is missing.

        Raises:
            EngineError: It cannot be done; the text says what to do.
        """
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            async with only_one(self._folder, stall_s=2 * self._patience.stall_s):
                # Another process may have been first.
                if await asyncio.to_thread(store.recorded, self._folder) is None:
                    await self._download(source)
        except OSError as exc:
            raise EngineError(self._cannot_write(exc), retryable=False) from exc

    async def _download(self, source: str) -> None:
        try:
            async with Hub(source, stall_s=self._patience.stall_s) as hub:
                remotes = await self._ask_for_all(hub)
                await self._make_room(remotes)
                for remote in remotes:
                    await self._get(hub, remote)
        except (CutError, RefusedError) as exc:
            raise EngineError(
                f"the model {self._wanted.name} cannot be downloaded from {host_of(source)}: "
                f"{exc}. Trying again goes on where it stopped; LT_MODEL_SOURCE names a mirror, "
                "and LT_MODEL_DIR a folder with "
                f"{FILES[self._wanted.family].in_words()}, copied by hand",
                retryable=isinstance(exc, CutError),
            ) from exc
        names = [remote.name for remote in remotes]
        revision = remotes[0].revision
        repository = self._wanted.repository
        await asyncio.to_thread(store.record, self._folder, repository, revision, names)

    async def _ask_for_all(self, hub: Hub) -> list[Remote]:
        """Return what there is to get, all of the same revision."""
        files = FILES[self._wanted.family]
        found: list[Remote] = []
        revision = LATEST
        for name in (*files.needed, *files.either, *files.useful):
            if name in files.either and any(remote.name in files.either for remote in found):
                continue
            remote = await self._ask(hub, name, revision)
            if remote:
                found.append(remote)
                revision = remote.revision
        if lacking := files.missing([remote.name for remote in found]):
            raise RefusedError(f"it has no {', '.join(lacking)} for {self._wanted.repository}")
        return found

    async def _ask(self, hub: Hub, name: str, revision: str) -> Remote | None:
        """Ask for a file, some times."""
        backoff = self._backoff()
        while True:
            try:
                return await hub.ask(self._wanted.repository, name, revision)
            except CutError:
                if backoff.attempt + 1 >= self._patience.failures:
                    raise
            await _pause(backoff)

    async def _make_room(self, remotes: list[Remote]) -> None:
        """See that all will fit on the disk."""
        self._total = sum(remote.size for remote in remotes)
        needed = self._total
        for remote in remotes:
            needed -= await asyncio.to_thread(self._there, remote)
        free = await asyncio.to_thread(store.free_bytes, self._folder)
        if needed > 0 and needed + _SPARE > free:
            raise EngineError(self._no_room(needed + _SPARE, free), retryable=False)

    def _there(self, remote: Remote) -> int:
        """Return how much of a file need not come any more, if it is right."""
        whole = store.size_of(self._folder / remote.name)
        return min(remote.size, whole or store.size_of(self._part(remote)))

    def _part(self, remote: Remote) -> Path:
        return store.part_of(self._folder, remote.name, remote.tag)

    async def _get(self, hub: Hub, remote: Remote) -> None:
        """Get a file, unless it is there."""
        target = self._folder / remote.name
        tries = 0
        while not await asyncio.to_thread(_is_right, target, remote):
            if tries == _TRIES:
                raise RefusedError(f"what comes of {remote.name} is damaged, by its checksum")
            tries += 1
            part = await asyncio.to_thread(self._part, remote)
            await self._fill(hub, remote, part)
            if await asyncio.to_thread(_is_right, part, remote):
                await asyncio.to_thread(store.settle, part, target)
                break
            await asyncio.to_thread(part.unlink, missing_ok=True)
            remote = await self._ask(hub, remote.name, remote.revision) or remote
        self._done += remote.size
        self._tell(remote.name, self._done)

    async def _fill(self, hub: Hub, remote: Remote, part: Path) -> None:
        """Bring a part to its full size, however many times it is cut off."""
        backoff = self._backoff()
        cuts = 0
        while (have := await asyncio.to_thread(store.size_of, part)) < remote.size:
            try:
                await self._stream(hub, remote, part, have)
            except RestartError:
                await asyncio.to_thread(part.unlink)
                why = CutError("it does not give the rest of a file")
            except CutError as exc:
                why = exc
            else:
                why = CutError("it ends a file too early")
            if (now := await asyncio.to_thread(store.size_of, part)) >= remote.size:
                break
            cuts += 1
            if now > have:
                backoff.reset()
            if backoff.attempt + 1 >= self._patience.failures or cuts >= self._patience.cuts:
                raise why
            await _pause(backoff)

    async def _stream(self, hub: Hub, remote: Remote, part: Path, at: int) -> None:
        """Take what comes, up to the file's size."""
        async with aclosing(hub.fetch(self._wanted.repository, remote, offset=at)) as blocks:
            async for block in blocks:
                taken = block[: remote.size - at]
                await asyncio.to_thread(store.append, part, taken, at=at)
                at += len(taken)
                self._tell(remote.name, self._done + at)
                if at == remote.size:
                    break

    def _tell(self, file: str, done: int) -> None:
        self._told = max(self._told, done)
        if self._on_progress:
            self._on_progress(Download(self._wanted.name, file, self._told, self._total))

    def _backoff(self) -> Backoff:
        return Backoff(self._patience.first_s, self._patience.most_s)

    def _no_room(self, needed: int, free: int) -> str:
        return (
            f"the model {self._wanted.name} needs {places.megabytes(needed)} more in "
            f"{self._folder}, where {places.megabytes(free)} are free: make room, or set "
            "LT_MODEL_CACHE to another folder"
        )

    def _cannot_write(self, exc: OSError) -> str:
        if exc.errno in _NO_ROOM:
            left = max(0, self._total - self._told)
            return self._no_room(left + _SPARE, 0)
        return (
            f"the model {self._wanted.name} cannot be kept in {self._folder} "
            f"({exc.strerror or type(exc).__name__}): set LT_MODEL_CACHE to a folder that can be "
            "written"
        )


def _is_right(path: Path, remote: Remote) -> bool:
    """Return whether a file is what the source said it would be."""
    if store.size_of(path) != remote.size:
        return False
    return remote.checksum is None or remote.checksum.fits(path)


async def _pause(backoff: Backoff) -> None:
    await asyncio.sleep(backoff.next_delay(random.random()))  # noqa: S311  # no secret
