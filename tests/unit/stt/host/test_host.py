"""Models that come and go while whoever asked for them does, without a process."""

import asyncio
import gc
from pathlib import Path
from typing import Any, Self

import pytest

from livebot.errors import EngineError
from livebot.stt.host.host import EngineHost
from livebot.stt.host.messages import Ready
from livebot.stt.host.options import HostOptions
from livebot.stt.host.warm import Warm

OWN, OTHER = "own", "other"

IDLE_S = 60.0


class Pool:
    """Workers that are ready when they are let; the host's own are at once."""

    readiness = Ready("m", "", {"en": "English"}, translates=False, load_s=0, trial_s=0)
    restarts = 0

    def __init__(self, name: str, loaded: asyncio.Event) -> None:
        self._name = name
        self._loaded = loaded

    async def __aenter__(self) -> Self:
        """Load."""
        if self._name != OWN:
            await self._loaded.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unload."""

    def troubles(self) -> list[str]:
        """Have none."""
        return []


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what lets the other model be loaded."""
    event = asyncio.Event()

    async def pool(_: EngineHost, name: str) -> Pool:
        return Pool(name, event)

    monkeypatch.setattr(EngineHost, "_pool", pool)
    return event


def options() -> HostOptions:
    """Return those of a host that unloads what is idle."""
    return HostOptions(model=OWN, idle_s=IDLE_S)


def kept() -> int:
    """Return how many models somebody still knows, there or not."""
    gc.collect()
    return sum(isinstance(each, Warm) for each in gc.get_objects())


async def ask(host: EngineHost) -> asyncio.Task[Any]:
    """Begin to ask for the other model, as both doors do."""

    async def use() -> None:
        async with host._using(OTHER):
            pass

    task = asyncio.create_task(use())
    await asyncio.sleep(1)
    return task


async def give_up(task: asyncio.Task[Any]) -> None:
    """Go before it is loaded."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.virtual_time
async def test_a_model_whose_asker_went_while_it_loaded_is_unloaded(loaded: asyncio.Event) -> None:
    """It would stay for ever, with all its memory."""
    async with EngineHost(options()) as host:
        await give_up(await ask(host))
        loaded.set()
        await asyncio.sleep(1)
        assert host.status().models == (OWN, OTHER)
        await asyncio.sleep(IDLE_S)

        assert host.status().models == (OWN,)


@pytest.mark.virtual_time
async def test_a_model_that_somebody_else_waits_for_stays(loaded: asyncio.Event) -> None:
    """Who goes first takes nothing from the others, however long it loads."""
    async with EngineHost(options()) as host:
        first, second = await ask(host), await ask(host)
        await give_up(first)
        await asyncio.sleep(2 * IDLE_S)
        loaded.set()
        await second

        assert host.status().models == (OWN, OTHER)


@pytest.mark.virtual_time
async def test_a_model_that_breaks_in_an_unforeseen_way_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others go on; who asked for it is told, without where its files are."""

    async def pool(_: EngineHost, name: str) -> Pool:
        if name == OTHER:
            raise PermissionError(13, "Permission denied", "/home/somebody")
        return Pool(name, asyncio.Event())

    monkeypatch.setattr(EngineHost, "_pool", pool)
    before = kept()
    async with EngineHost(options()) as host:
        with pytest.raises(EngineError, match="Permission denied") as refused:
            await host.recognise(Path("a.wav"), model=OTHER)
        await asyncio.sleep(1)

        assert "somebody" not in str(refused.value)
        del refused
        assert kept() == before + 1
        assert host.status().models == (OWN,)
