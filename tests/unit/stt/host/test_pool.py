"""Workers in their places, without a process."""

import asyncio
from typing import Any

import pytest

from livebot.errors import EngineError
from livebot.stt.host import pool as pool_module
from livebot.stt.host.messages import Ready
from livebot.stt.host.pool import WorkerPool


class Process:
    """A worker that lives until it is let; `starts` has what each start comes to."""

    starts: list[Exception | None]

    pid, load, is_alive = 1, 0, True

    def __init__(self) -> None:
        self.over = asyncio.Event()

    @classmethod
    async def start(cls, *_: Any, **__: Any) -> "Process":
        """Start, or raise."""
        if cls.starts and (fault := cls.starts.pop(0)):
            raise fault
        return cls()

    async def ready(self, _: float) -> Ready:
        """Be ready at once."""
        return Ready("m", "", {"en": "English"}, translates=False, load_s=0, trial_s=0)

    async def run(self) -> None:
        """Die in the end."""
        await self.over.wait()
        raise EngineError("the recognition worker ended")

    async def stop(self) -> None:
        """End."""
        self.is_alive = False


@pytest.fixture(autouse=True)
def _processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Process, "starts", [], raising=False)
    monkeypatch.setattr(pool_module, "WorkerProcess", Process)


@pytest.mark.virtual_time
async def test_a_start_that_breaks_in_an_unforeseen_way_is_tried_again() -> None:
    """Where there are no more threads for example; the pool and its other workers go on."""
    async with WorkerPool(workers=1) as pool:
        first: Any = await pool._worker(1.0)
        Process.starts[:] = [RuntimeError("can't start new thread")]
        first.is_alive = False
        first.over.set()
        await asyncio.sleep(0.1)
        assert pool.troubles()
        second = await pool._worker(10.0)

        assert second is not first
        assert pool.restarts == 2
        assert not pool.troubles()


@pytest.mark.virtual_time
async def test_whoever_waits_for_a_worker_is_told_that_none_comes() -> None:
    """At once, and why: a stop is not to look like a fault without a name."""
    loop = asyncio.get_running_loop()
    async with WorkerPool(workers=1) as pool:
        first: Any = await pool._worker(1.0)
        Process.starts[:] = [EngineError("not now")] * 3
        first.is_alive = False
        first.over.set()
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(pool._worker(60.0))
        await asyncio.sleep(0.1)
        before = loop.time()

    with pytest.raises(EngineError, match="stopping"):
        await waiting
    assert loop.time() - before < 1
