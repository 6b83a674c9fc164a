"""Guards around every test: nothing blocks the loop, nothing is left behind."""

import asyncio
import os
import random
import shutil
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from tests.support.virtual_time import VirtualTimeLoop

SETTLE_S = 2.0
"""How long a closed transport may take to let go of its socket, a joined thread to end."""

# How long an example takes says more about the machine than about the code.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give a test marked `virtual_time` a loop on which waiting takes no time."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual": VirtualTimeLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def _same_chances() -> None:
    """Let whoever waits a random time before trying again wait alike each time."""
    random.seed(0)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no service that a test runs keep anything in the user's own folder."""
    if "LT_DATA_DIR" in os.environ:
        yield
        return
    folder = Path(tempfile.gettempdir()) / f"livebot-test-{uuid.uuid4().hex}"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_blocking_calls() -> Iterator[BlockBuster]:
    """Fail a test in which livebot blocks the event loop."""
    with blockbuster_ctx("livebot") as guard:
        locks = guard.functions["threading.Lock.acquire"]
        # Closing a peer connection of the demo's joins aiortc's decoder thread.
        locks.can_block_in("aiortc/rtcrtpreceiver.py", {"__stop_decoder"})
        # Coverage's own, when a file is seen for the first time while another thread is, too.
        locks.can_block_in("coverage/collector.py", {"lock_data"})
        yield guard


def _threads() -> set[threading.Thread]:
    """Return the threads that somebody must end: the loop ends its own executor's."""
    return {t for t in threading.enumerate() if not t.name.startswith("asyncio_")}


def _sockets() -> set[str]:
    """Return the sockets this process has open, by their inode."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir() if Path("/proc/self/fd").exists() else ():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def _left(
    tasks: set[asyncio.Task[object]], threads: set[threading.Thread], sockets: set[str]
) -> list[str]:
    current = asyncio.current_task()
    return [
        *sorted(
            f"task {t.get_name()} ({getattr(t.get_coro(), '__qualname__', '?')})"
            for t in asyncio.all_tasks() - tasks
            if t is not current
        ),
        *sorted(f"thread {t.name}" for t in _threads() - threads),
        *sorted(_sockets() - sockets),
    ]


@pytest.fixture(autouse=True)
async def _nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves a task, a thread or a socket behind."""
    before = asyncio.all_tasks(), _threads(), _sockets()
    yield
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_S
    # Nobody tells when a kernel is done, so ask again.
    while (left := _left(*before)) and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not left, f"left behind: {', '.join(left)}"
