"""Reads what the bot holds: every ten seconds during a call, and when it has nothing to do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.soak.report import Sample
from tests.soak.usage import Usage, usage
from tests.system.world.bot import Bot
from tests.system.world.process import WorldError

_EVERY_S = 10.0
_SHOWN_EVERY = 6

_IDLE_S = 15.0
_AGAIN_AFTER_S = 2.0
_SETTLES_WITHIN_S = 30.0

_REQUESTS = 40
"""More at once than the event loop's pool has threads."""


async def read(bot: Bot) -> Usage:
    """Return what the bot holds now."""
    tasks = await bot.metric("transcription_event_loop_tasks")
    try:
        return usage(bot.process.pid, int(tasks))
    except (OSError, psutil.NoSuchProcess):
        # A worker ended while it was looked at; the next one is there soon.
        await asyncio.sleep(_AGAIN_AFTER_S)
        return usage(bot.process.pid, int(tasks))


async def fill_pool(bot: Bot) -> None:
    """Let the event loop have all its threads; their pool grows when needed, and never shrinks."""
    await asyncio.gather(*(bot.health() for _ in range(_REQUESTS)))


async def idle(bot: Bot) -> Usage:
    """Wait until a bot without rooms does nothing any more; return what it holds then.

    Raises:
        WorldError: It is in a room, keeps media sockets, or does not come to rest.
    """
    await bot.until_idle()
    await asyncio.sleep(_IDLE_S)
    before = await read(bot)
    deadline = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        await asyncio.sleep(_AGAIN_AFTER_S)
        now = await read(bot)
        if now.held == before.held and not now.held.udp:
            return now
        if time.monotonic() > deadline:
            raise WorldError(f"the bot does not come to rest: {before.held}; {now.held}")
        before = now


@asynccontextmanager
async def watching(bot: Bot) -> AsyncIterator[list[Sample]]:
    """Read every ten seconds meanwhile; give the readings so far."""
    samples: list[Sample] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_watch(bot, samples), name="watch")
        try:
            yield samples
        finally:
            task.cancel()


async def _watch(bot: Bot, samples: list[Sample]) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        samples.append(await _sample(bot))
        if len(samples) % _SHOWN_EVERY == 0:
            print(samples[-1], flush=True)  # noqa: T201 - people watch


async def _sample(bot: Bot) -> Sample:
    return Sample(
        at=time.monotonic(),
        usage=await read(bot),
        people=await bot.metric("transcription_speakers_active"),
        rooms=await bot.metric("transcription_rooms_active"),
        reasons=tuple((await bot.health())["reasons"]),
    )
