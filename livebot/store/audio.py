"""Audio of transcripts: files in a folder, with an index in the database."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from livebot.store import files
from livebot.store.database import Database
from livebot.store.tables import AUDIO, TRANSCRIPTS
from livebot.store.unbroken import unbroken

AT_ONCE = 500
"""Names that are looked up together."""


class Audio:
    """See `contract.Audio`.

    Args:
        database: Where the index is.
        folder: Where files go.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where files go."""
        return self._folder

    @unbroken
    async def add(
        self, transcript: str, *, person: str, start: float, end: float, name: str
    ) -> None:
        """Note a file of the audio folder.

        Ignored, and the file removed, where the transcript was erased or may have no audio.

        Raises:
            ValueError: The name leads out of the folder.
        """
        file = self._file(name)
        may = sa.select(TRANSCRIPTS.c.audio).where(TRANSCRIPTS.c.id == transcript)
        row = {"transcript": transcript, "person": person, "name": name, "start": start}
        async with self._database.writing() as connection:
            allowed = (await connection.execute(may.with_for_update(read=True))).scalar()
            if allowed:
                insert = self._database.insert(AUDIO).on_conflict_do_nothing()
                await connection.execute(insert, {**row, "end": end})
        if not allowed:
            await files.remove([file])

    @unbroken
    async def of(self, transcript: str) -> Sequence[tuple[str, float, float, Path]]:
        """Return person, start, end and file of each chunk, by start."""
        wanted = sa.select(AUDIO).where(AUDIO.c.transcript == transcript)
        async with self._database.reading() as connection:
            found = await connection.execute(wanted.order_by(AUDIO.c.start, AUDIO.c.id))
            return [(row.person, row.start, row.end, self._folder / row.name) for row in found]

    async def remove(self, names: Sequence[str]) -> None:
        """Remove files that are no longer in the index."""
        await files.remove(self._folder / name for name in names)

    @unbroken
    async def sweep(self, before: float) -> int:
        """Remove files from before a time that are not in the index; return how many.

        A crash between two steps leaves such.
        """
        names = await files.found(self._folder, before)
        swept = 0
        for begin in range(0, len(names), AT_ONCE):
            some = names[begin : begin + AT_ONCE]
            async with self._database.reading() as connection:
                known = await connection.execute(
                    sa.select(AUDIO.c.name).where(AUDIO.c.name.in_(some))
                )
                left = sorted(set(some) - set(known.scalars()))
            await self.remove(left)
            swept += len(left)
        return swept

    def _file(self, name: str) -> Path:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise ValueError("the name leads out of the audio folder")
        return self._folder / path
