"""Ctrl-C and its like."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from livebot.cli.signals import run


async def _killed(number: int) -> int:
    os.kill(os.getpid(), number)
    await asyncio.sleep(60)
    raise AssertionError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_and_is_the_exit_code(number: int) -> None:
    """As shells count. Spec: command-line/Exit codes."""
    assert run(_killed(number)) == 128 + number


def test_the_exit_code_is_that_of_the_work() -> None:
    """Where nothing happens."""

    async def work() -> int:
        return 7

    assert run(work()) == 7


def test_the_first_signal_may_mean_something_else() -> None:
    """The second cancels."""
    asked: list[bool] = []

    async def work() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.01)
        assert asked == [True]
        return await _killed(signal.SIGINT)

    assert run(work(), on_first=lambda: asked.append(True)) == 130


def test_who_cancels_himself_is_a_bug() -> None:
    """It is no signal."""

    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(work())


def test_the_next_signal_ends_what_does_not_end() -> None:
    """Whatever it waits for. Spec: command-line/Exit codes."""
    program = """
import asyncio, os, signal
from livebot.cli.signals import run

async def work():
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

run(work())
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=50, check=False)
    assert done.returncode == 130
