"""Tests of `livebot.lag`."""

import asyncio
import time

import pytest

from livebot import lag


@pytest.mark.virtual_time
async def test_an_idle_loop_has_no_lag() -> None:
    """A timer that is woken in time reports nothing but zero."""
    seen: list[float] = []
    task = asyncio.create_task(lag.watch(seen.append))
    await asyncio.sleep(10)
    task.cancel()
    await asyncio.wait([task])

    assert len(seen) == pytest.approx(500, abs=2)
    assert max(seen) < 1e-6


@pytest.mark.virtual_time
async def test_tasks_are_counted_while_they_run() -> None:
    """A task is in the count of the next second, and out of it after its end."""
    seen: list[int] = []
    counting = asyncio.create_task(lag.count(seen.append))
    await asyncio.sleep(0.5)
    others = [asyncio.create_task(asyncio.sleep(1)) for _ in range(3)]
    await asyncio.sleep(2)
    counting.cancel()
    await asyncio.wait([counting, *others])

    assert [number - seen[0] for number in seen] == [0, 3, 0]


async def test_a_blocked_loop_is_noticed() -> None:
    """Whoever holds the loop shows up with the time held."""
    seen: list[float] = []
    task = asyncio.create_task(lag.watch(seen.append))
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - the fault itself
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])

    assert max(seen) >= 0.07
