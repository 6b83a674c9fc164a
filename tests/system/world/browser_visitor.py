"""A person in Chromium whose page may be reloaded, and who may be killed and come again.

As seen in a lab: after a reload the media server closes the old connection, yet the old
session stays in the call, with audio by its flags, until the signaling server drops it after
30 s; after a crash frames just stop, and the session stays as long.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.world.browser import LEAD_S, argv_of, page_url
from tests.system.world.devtools import opened
from tests.system.world.hpb import Hpb
from tests.system.world.process import Process, WorldError
from tests.system.world.recording import Sound, write
from tests.system.world.visitor import Visit

_SPEAKS_WITHIN_S = 20.0
_POLL_S = 0.05


@dataclass(slots=True)
class BrowserVisitor:
    """Somebody in a browser; `browsing()` makes them.

    They talk from `LEAD_S` after they come in, from the beginning in every visit.

    Attributes:
        visits: As a `Visitor`'s.
    """

    hpb: Hpb
    room: str
    user: str
    folder: Path
    visits: list[Visit] = field(default_factory=list)
    _browsers: int = 0
    _process: Process | None = None

    async def come(self) -> None:
        """Open the page in a new browser."""
        self._browsers += 1
        folder = self.folder / f"chromium-{self._browsers}"
        await asyncio.to_thread(folder.mkdir)
        url = page_url(self.hpb, self.room, self.user)
        argv = argv_of(folder, self.folder / "microphone.wav", url)
        self._process = Process("chromium", argv, folder=folder)
        self._process.__enter__()
        await self._until_speaking()

    async def reload(self) -> None:
        """Load the page again, without a word to anybody."""
        assert self._process is not None
        async with opened(self._process.log.parent) as page:
            self.visits[-1].until = time.monotonic()
            await page.call("Page.reload")
        await self._until_speaking()

    def kill(self) -> None:
        """Kill the browser."""
        if self._process is not None:
            self.visits[-1].until = time.monotonic()
            self._process.kill()
            self._process = None

    def hush(self) -> None:
        """Say no more: a microphone that is a file can only be taken away."""
        self.kill()

    async def _until_speaking(self) -> None:
        log, times = self.hpb.processes["nextcloud"].log, len(self.visits) + 1
        deadline = time.monotonic() + _SPEAKS_WITHIN_S
        said = f"page: {self.room} {self.user} speaks"
        while log.read_text(encoding="utf-8").count(said) < times:
            if time.monotonic() > deadline:
                raise WorldError("Chromium does not come to speak")
            await asyncio.sleep(_POLL_S)
        now = time.monotonic()
        self.visits.append(Visit(now, talk_began=now + LEAD_S))


@asynccontextmanager
async def browsing(
    folder: Path, hpb: Hpb, room: str, user: str, says: Sound
) -> AsyncIterator[BrowserVisitor]:
    """Let *user* be in the call of *room* with a browser, and talk."""
    await asyncio.to_thread(write, folder / "microphone.wav", says, silence_before_s=LEAD_S)
    visitor = BrowserVisitor(hpb, room, user, folder)
    try:
        await visitor.come()
        yield visitor
    finally:
        visitor.kill()
