"""Tests of `livebot.overload.watch`."""

import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest
from structlog.testing import capture_logs

from livebot.overload import Overload
from livebot.overload.gate import CALM_S
from livebot.overload.lateness import WINDOW_S
from tests.support.waiting import until


@asynccontextmanager
async def watching(watched: Overload) -> AsyncIterator[None]:
    """Run it during the context."""
    task = asyncio.create_task(watched.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def late(watched: Overload, lag_s: float, seconds: float) -> None:
    """Report a lag for so long, as a loop that has it does."""
    for _ in range(round(seconds / (lag_s + 0.02))):
        await asyncio.sleep(lag_s + 0.02)
        watched.observe_lag(lag_s)


@pytest.mark.virtual_time
async def test_a_late_loop_takes_no_more_until_it_is_calm() -> None:
    """The reason comes within seconds, says by how much, and goes some time after the lag."""
    watched = Overload(max_lag_s=0.1)
    with capture_logs() as logged:
        async with watching(watched):
            await late(watched, 0.05, 5)
            assert watched.reasons == []
            await late(watched, 0.18, 3)
            assert watched.reasons == ["event loop late by 180 ms"]
            await late(watched, 0.0, WINDOW_S / 2)
            assert watched.reasons == ["event loop late by 180 ms"]
            await late(watched, 0.0, WINDOW_S + CALM_S)
            assert watched.reasons == []

    assert [line["event"] for line in logged] == ["overload_began", "overload_ended"]


async def test_memory_is_read_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading above the limit is a reason with both figures; a low one ends it."""
    monkeypatch.setattr("livebot.overload.watch.MEMORY_EVERY_S", 0.01)
    monkeypatch.setattr("livebot.overload.gate.CALM_S", 0.05)
    readings, threads = [870.0], []

    def read() -> float:
        threads.append(threading.current_thread())
        return readings[-1]

    watched = Overload(max_lag_s=1, max_memory_mb=800, read_memory_mb=read)
    async with watching(watched):
        await until(lambda: watched.reasons == ["memory 870 of 800 MB"])
        readings.append(790)
        so_far = len(threads)
        await until(lambda: len(threads) > so_far + 10)
        assert watched.reasons == ["memory 870 of 800 MB"]
        readings.append(700)
        await until(lambda: not watched.reasons)

    assert threading.main_thread() not in threads


async def test_a_reading_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch goes on; what was known stands."""
    monkeypatch.setattr("livebot.overload.watch.MEMORY_EVERY_S", 0.01)
    monkeypatch.setattr("livebot.overload.watch.READING_S", 0.05)
    release, calls = threading.Event(), []

    def read() -> float:
        calls.append(1)
        if len(calls) == 2:
            release.wait(10)
        return 870.0 if len(calls) == 1 else 1.0

    watched = Overload(max_lag_s=1, max_memory_mb=800, read_memory_mb=read)
    with capture_logs() as logged:
        async with watching(watched):
            await until(lambda: len(calls) > 2)
            release.set()
            assert watched.reasons

    assert "memory_not_read" in [line["event"] for line in logged]


@pytest.mark.parametrize("fault", [OSError(errno.EMFILE, "full"), psutil.AccessDenied(1)])
async def test_a_reading_that_fails_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A process without file descriptors, or that may not look at others, goes on."""
    monkeypatch.setattr("livebot.overload.watch.MEMORY_EVERY_S", 0.01)
    calls = []

    def read() -> float:
        calls.append(1)
        if len(calls) == 1:
            raise fault
        return 870.0

    watched = Overload(max_lag_s=1, max_memory_mb=800, read_memory_mb=read)
    async with watching(watched):
        await until(lambda: watched.reasons == ["memory 870 of 800 MB"])


async def test_without_a_limit_memory_is_not_read() -> None:
    """Where there is no limit there is nothing to do."""

    def read() -> float:
        raise AssertionError

    watched = Overload(max_lag_s=1, read_memory_mb=read)
    async with watching(watched):
        await asyncio.sleep(0.05)

    assert watched.reasons == []
