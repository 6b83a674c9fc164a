"""The soak's call: a crowd, a reader who is always there, and another room now and then."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.soak.crowd import HEARD_AFTER_S, TEXTS, Crowd, crowd, speech
from tests.system.world.bot import Bot
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, Member, join
from tests.system.world.process import WorldError
from tests.system.world.speaker import speaking
from tests.system.world.tape import FRAME_S, Tape

ROOM_EVERY_S = 30.0

_SOON_S = 10.0
_QUIET_S = 5.0
_QUIET_WITHIN_S = 60.0
_MINUTE_S = 60.0


@dataclass(slots=True)
class Call:
    """What happened in a call that is over.

    Attributes:
        reader: Who read all captions.
        crowd: Who spoke.
        other_rooms: How many captions came in each of the other rooms.
        seconds: How long it was.
    """

    reader: Member
    crowd: Crowd
    other_rooms: list[int] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def by_minute(self) -> list[int]:
        """Return how many captions came in each minute, the last one left out if not whole."""
        counts = [0] * int(self.seconds / _MINUTE_S)
        for caption in self.reader.transcripts:
            minute = int((caption.at - self.began) / _MINUTE_S)
            if minute < len(counts):
                counts[minute] += 1
        return counts


@asynccontextmanager
async def busy_call(hpb: Hpb, bot: Bot, people: int) -> AsyncIterator[Call]:
    """Hold a call with so many people; afterwards all have left, the bot too."""
    room, over = secrets.token_hex(4), asyncio.Event()
    async with join(hpb, room, "reader") as reader:
        await reader.set_in_call(LISTENING)
        await bot.start(room)
        await reader.until(lambda: bool(reader.bots), "the bot", _SOON_S)
        async with crowd(hpb, room, people) as them, asyncio.TaskGroup() as group:
            call = Call(reader, them)
            group.create_task(_other_rooms(hpb, bot, call, over), name="other rooms")
            try:
                yield call
            finally:
                call.seconds = time.monotonic() - call.began
                over.set()
        await reader.until_quiet(_QUIET_S, _QUIET_WITHIN_S)
        if await bot.stop(room) != HTTPStatus.OK:
            raise WorldError(f"the bot was not in its room any more: {await bot.rooms()}")
        await reader.until(lambda: not reader.bots, "the bot to leave", _SOON_S)


async def _other_rooms(hpb: Hpb, bot: Bot, call: Call, over: asyncio.Event) -> None:
    """Let one person talk in a room of their own with captions, again and again."""
    _, encoded = speech(TEXTS[0])
    while not over.is_set():
        room, tape = secrets.token_hex(4), Tape()
        async with (
            asyncio.TaskGroup() as group,
            speaking(hpb, room, "somebody else", tape=tape) as who,
        ):
            pause = group.create_task(_until(over, ROOM_EVERY_S), name="pause")
            await bot.start(room)
            await who.member.until(lambda: bool(who.member.bots), "the bot", _SOON_S)
            await asyncio.sleep(HEARD_AFTER_S)
            tape.play(encoded)
            await asyncio.sleep(len(encoded) * FRAME_S + _QUIET_S)
            if await bot.stop(room) != HTTPStatus.OK:
                raise WorldError("the bot was not in the other room any more")
            call.other_rooms.append(len(who.member.transcripts))
            await pause


async def _until(over: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        pass
