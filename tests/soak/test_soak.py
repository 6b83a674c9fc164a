"""A busy call for a quarter of an hour, with people who come and go: nothing grows."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.soak import facts
from tests.soak.call import busy_call
from tests.soak.crowd import prepare
from tests.soak.report import Report, growth, table
from tests.soak.watch import fill_pool, idle, watching
from tests.system.world.bot import bot
from tests.system.world.hpb import Hpb

MINUTES = float(os.environ.get("SOAK_MINUTES", "15"))
PEOPLE = int(os.environ.get("SOAK_PEOPLE", "20"))

WARM_UP_S = min(180.0, 30 * MINUTES)
"""Caches fill, and allocators reach their size."""

SETTINGS = {"LOG_LEVEL": "INFO", "LT_MAX_LAG_MS": "10000"}
"""People and servers share the machine with the bot: it must not refuse them for being late."""

GROWTH_MB = 15.0
"""Allocators keep some room of the busiest moment. All 430 who come by would be 170 MiB."""

WORKERS_GROWTH_MB = 20.0
"""Two models' scratch memory, which grows to what the longest sentence needs."""

DROPPED = "transcription_audio_dropped_seconds_total"

CAPTIONS_A_MINUTE = 20
"""Three people who take turns at talking say more than 200 words a minute."""

pytestmark = [pytest.mark.system, pytest.mark.timeout(60 * MINUTES + WARM_UP_S + 600)]


async def test_a_busy_call_leaves_nothing_behind(
    the_hpb: Hpb, folder: Path, report: Report
) -> None:
    """Idle after it, the bot holds what it held before: tasks, threads, files, memory."""
    await asyncio.to_thread(prepare)
    with bot(folder / "bot", the_hpb, SETTINGS) as the_bot:
        await fill_pool(the_bot)
        async with busy_call(the_hpb, the_bot, PEOPLE):
            await asyncio.sleep(WARM_UP_S)
        begin, before = await idle(the_bot), await facts.counted(the_bot)

        async with busy_call(the_hpb, the_bot, PEOPLE) as call, watching(the_bot) as samples:
            await asyncio.sleep(60 * MINUTES)
        end, after = await idle(the_bot), await facts.counted(the_bot)

        report.tables["soak: what the bot holds"] = growth(begin, end, samples)
        rows = [*facts.of_call(call, samples), *facts.of_bot(before, after)]
        report.tables["soak: what happened"] = table([("what", "how much"), *rows])
        health, dropped = await the_bot.health(), await the_bot.metric(DROPPED)
    assert end.held == begin.held
    assert end.memory_mb - begin.memory_mb < GROWTH_MB
    assert end.workers_mb - begin.workers_mb < WORKERS_GROWTH_MB
    assert health["status"] == "healthy", health["reasons"]
    assert dropped == 0
    assert not facts.unheard(call), "somebody spoke and was not captioned"
    assert min(call.by_minute) >= CAPTIONS_A_MINUTE
    assert min(call.other_rooms) > 0
