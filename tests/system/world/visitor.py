"""A person who stays in the call whatever happens, and comes back as a browser does.

After a signaling server's end a browser comes back by itself, as a new session. After a media
server's end it speaks into nothing until its person leaves the call and comes again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientError
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, Log, Member, join
from tests.system.world.process import WorldError
from tests.system.world.speaker import speaking
from tests.system.world.tape import FRAME_S, Tape

_AGAIN_AFTER_S = 1.0
_POLL_S = 0.05

_FAULTS = (WorldError, OSError, TimeoutError, ClientError, ConnectionClosed, InvalidHandshake)


@dataclass(slots=True)
class Visit:
    """One session of somebody in the call; all times are of `time.monotonic`.

    Attributes:
        since: When it began.
        until: When it was over; infinite while it lasts.
        talk_began: When the talk began that was heard in it; None for silence.
    """

    since: float
    until: float = float("inf")
    talk_began: float | None = None


@dataclass(slots=True)
class Visitor:
    """Somebody in the call; `visiting()` makes them.

    Attributes:
        log: What they have seen, in all their sessions.
        visits: Their sessions in the call; the last one may still last.
        is_in: Set while they are.
    """

    hpb: Hpb
    room: str
    user: str
    has_microphone: bool
    log: Log = field(default_factory=Log)
    visits: list[Visit] = field(default_factory=list)
    is_in: asyncio.Event = field(default_factory=asyncio.Event)
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _tape: Tape | None = None
    _talk: tuple[float, Sequence[bytes]] | None = None

    async def run(self) -> None:
        """Be in the call until cancelled."""
        while True:
            try:
                async with self._present() as member:
                    await self._until_gone(member)
            except* _FAULTS:
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def leave_and_come(self) -> None:
        """Leave the call and join it again at once, as a new session."""
        self._again.set()
        before = len(self.visits)
        while len(self.visits) == before:  # noqa: ASYNC110 - it may take several attempts
            await asyncio.sleep(_POLL_S)

    def speak(self, what: Sequence[bytes]) -> None:
        """Begin to say something now, in packets, and go on with it in every session."""
        self._talk = time.monotonic(), what
        self._go_on()

    def hush(self) -> None:
        """Say no more."""
        assert self._talk is not None
        self._talk = self._talk[0], ()
        self._go_on()

    @asynccontextmanager
    async def _present(self) -> AsyncIterator[Member]:
        """Be in the call in one session."""
        if not self.has_microphone:
            async with join(self.hpb, self.room, self.user, self.log) as member:
                await member.set_in_call(LISTENING)
                yield member
            return
        self._tape = tape = Tape()
        async with speaking(self.hpb, self.room, self.user, log=self.log, tape=tape) as speaker:
            yield speaker.member

    async def _until_gone(self, member: Member) -> None:
        visit = Visit(time.monotonic())
        self.visits.append(visit)
        self._go_on()
        self.is_in.set()
        try:
            async with asyncio.TaskGroup() as group:
                gone = group.create_task(member.gone.wait(), name="gone")
                again = group.create_task(self._again.wait(), name="again")
                await asyncio.wait({gone, again}, return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                again.cancel()
        finally:
            self._again.clear()
            self.is_in.clear()
            visit.until = time.monotonic()

    def _go_on(self) -> None:
        """Let the microphone play what is being said now."""
        if self._tape is None or self._talk is None:
            return
        began, what = self._talk
        self._tape.play(what, round((time.monotonic() - began) / FRAME_S))
        self.visits[-1].talk_began = began


@asynccontextmanager
async def visiting(
    hpb: Hpb, room: str, user: str, *, microphone: bool = False
) -> AsyncIterator[Visitor]:
    """Let *user* be in the call of *room*, whatever happens to it."""
    visitor = Visitor(hpb, room, user, has_microphone=microphone)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(visitor.run(), name=f"visit {user}")
        try:
            await asyncio.wait_for(visitor.is_in.wait(), 15)
            yield visitor
        finally:
            task.cancel()
