"""Peers opened and closed one after the other: nothing grows.

`python -m tests.integration.test_many_peers 500` does it for longer and prints the figures.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from livebot.media.peer import open_peer
from tests.support.sender import loopback_only, sender

WARM_UP = 10
OBJECTS_PER_PEER = 5
"""What may stay of one: statistics of the interpreter and the libraries, not an object of ours."""


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with loopback_only():
        yield


@dataclass(frozen=True, slots=True)
class Usage:
    """What this process has."""

    tasks: int
    threads: int
    files: int
    objects: int
    resident_kib: int


def usage() -> Usage:
    """Return it as of now, after the garbage is out."""
    gc.collect()
    return Usage(
        tasks=len(asyncio.all_tasks()),
        # The loop has some of its own, for looking up names.
        threads=sum(not t.name.startswith("asyncio_") for t in threading.enumerate()),
        files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        objects=len(gc.get_objects()),
        resident_kib=psutil.Process().memory_info().rss // 1024,
    )


async def open_and_close(count: int) -> Usage:
    """Receive a little from so many senders, one after the other; return what is there then."""
    for _ in range(count):
        async with sender() as source, open_peer(()) as peer:
            await source.accept(await peer.answer(await source.offer()))
            async with asyncio.timeout(10):
                assert await peer.receive() is not None
    # A closed transport lets go of its socket in the next step of the loop.
    await asyncio.sleep(0.1)
    return usage()


async def test_peers_leave_nothing() -> None:
    """No task, thread or file more after thirty of them than after ten, and hardly an object."""
    before = await open_and_close(WARM_UP)
    after = await open_and_close(20)

    assert (after.tasks, after.threads, after.files) == (
        before.tasks,
        before.threads,
        before.files,
    )
    assert after.objects - before.objects <= 20 * OBJECTS_PER_PEER


async def _main(count: int) -> None:
    with loopback_only():
        done = WARM_UP
        before = await open_and_close(done)
        print(done, before)  # noqa: T201
        while done < count:
            more = min(100, count - done)
            done += more
            print(done, await open_and_close(more))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
