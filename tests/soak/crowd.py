"""People who come and go all the time, a few of whom talk at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from av import Packet

from tests.system.world.hpb import Hpb
from tests.system.world.recording import Recording, recording
from tests.system.world.speaker import Speaker, speaking
from tests.system.world.tape import FRAME_S, Tape, packets

TALK_AT_ONCE = 3
"""Recognition takes a tenth of a core for each, and people and servers need processors too."""

STAYS_S = (20.0, 60.0)
AWAY_S = (0.5, 3.0)

HEARD_AFTER_S = 3.0
"""Nobody is asked to understand what somebody says who has just come in."""

TEXTS = (
    ("ls_61", "libri_04_spk1221"),
    ("ls_7902", "libri_02_spk1188"),
    ("libri_01_spk1089", "ls_6930"),
    ("libri_05_spk1284", "ls_61"),
)

_SKIPPED = 19
"""Packets of silence that a muted Opus sender does not send, between two that it sends."""

_DENSE = 4
"""Every fourth microphone sends all of its silence, as a browser does by default."""


class SparseTape(Tape):
    """Sends next to nothing in silence."""

    async def recv(self) -> "Packet[Any]":
        """Return the next packet that is sent at all, when its time is over."""
        if self._next >= len(self._left):
            self._sent += _SKIPPED
        return await super().recv()


@cache
def speech(names: tuple[str, ...]) -> tuple[Recording, tuple[bytes, ...]]:
    """Return what is said, and the same as Opus; blocks the first time."""
    what = recording(*names)
    return what, packets(what.sound)


def prepare() -> None:
    """Encode what people say; blocks for some seconds."""
    for names in TEXTS:
        speech(names)


@dataclass(slots=True)
class Turn:
    """What one person said while they were in the call.

    Attributes:
        session: Who.
        said: What they said to its end.
        broke_off: Whether they left in the middle of something.
    """

    session: str
    said: list[Recording] = field(default_factory=list)
    broke_off: bool = False


@dataclass(slots=True)
class Crowd:
    """The people of one call; `crowd()` makes them.

    Attributes:
        turns: What everybody said who is gone again.
        largest: How many were in the call at once.
    """

    hpb: Hpb
    room: str
    turns: list[Turn] = field(default_factory=list)
    largest: int = 0
    _present: int = 0
    _floor: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TALK_AT_ONCE))
    _dice: random.Random = field(default_factory=lambda: random.Random(1))

    async def come_and_go(self, seat: int) -> None:
        """Fill one seat with one person after the other, until cancelled."""
        await asyncio.sleep(self._dice.uniform(0, AWAY_S[1]))
        visit = 0
        while True:
            visit += 1
            tape = SparseTape() if (seat + visit) % _DENSE else Tape()
            async with speaking(self.hpb, self.room, f"guest {seat}.{visit}", tape=tape) as who:
                await self._stay(who, tape)
            await asyncio.sleep(self._dice.uniform(*AWAY_S))

    async def _stay(self, who: Speaker, tape: Tape) -> None:
        turn = Turn(who.session)
        self._present += 1
        self.largest = max(self.largest, self._present)
        try:
            async with asyncio.timeout(self._dice.uniform(*STAYS_S)):
                await asyncio.sleep(HEARD_AFTER_S)
                while True:
                    await self._talk(turn, tape)
        except TimeoutError:
            pass
        finally:
            self._present -= 1
            self.turns.append(turn)

    async def _talk(self, turn: Turn, tape: Tape) -> None:
        """Wait for the floor, say something, be silent for a while."""
        what, encoded = speech(self._dice.choice(TEXTS))
        async with self._floor:
            turn.broke_off = True
            tape.play(encoded)
            await asyncio.sleep(len(encoded) * FRAME_S)
            turn.broke_off = False
        turn.said.append(what)
        await asyncio.sleep(self._dice.uniform(5, 15))


@asynccontextmanager
async def crowd(hpb: Hpb, room: str, people: int) -> AsyncIterator[Crowd]:
    """Keep *people* coming and going; at the end all leave."""
    found = Crowd(hpb, room)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(found.come_and_go(n), name=f"seat {n}") for n in range(people)]
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
