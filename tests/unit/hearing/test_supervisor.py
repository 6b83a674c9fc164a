"""Tests of `livebot.hearing.supervisor`."""

import asyncio

import pytest

from livebot.errors import EngineError, LivebotError, MediaError
from livebot.hearing.supervisor import Supervisor, first_error


async def _fails(error: Exception) -> None:
    raise error


async def _fails_inside_groups(error: Exception) -> None:
    async with asyncio.TaskGroup() as outer:
        outer.create_task(_fails(error))


async def test_one_fault_touches_nobody_else() -> None:
    """A member fails by a fault of the outside world; its neighbour goes on."""
    failures: list[tuple[str, LivebotError]] = []
    released = asyncio.Event()
    finished = []

    async def neighbour() -> None:
        await released.wait()
        finished.append("neighbour")

    error = MediaError("gone")
    async with Supervisor[str](lambda name, exc: failures.append((name, exc))) as supervisor:
        supervisor.start("good", neighbour)
        failing = supervisor.start("bad", lambda: _fails_inside_groups(error))
        await asyncio.wait([failing])
        released.set()
        await supervisor.idle()

    assert failures == [("bad", error)]
    assert finished == ["neighbour"]


async def test_a_bug_ends_the_group() -> None:
    """What is no fault of the outside world is not swallowed."""
    with pytest.RaisesGroup(ValueError, flatten_subgroups=True):
        async with Supervisor[str](lambda _name, _exc: None) as supervisor:
            supervisor.start("bug", lambda: _fails_inside_groups(ValueError("bug")))
            await asyncio.Event().wait()


async def test_leaving_the_context_cancels_the_rest() -> None:
    """Nothing outlives the supervisor."""
    async with Supervisor[str](lambda _name, _exc: None) as supervisor:
        task = supervisor.start("endless", asyncio.Event().wait)  # type: ignore[arg-type]

    assert task.cancelled()


def test_the_first_error_is_found_however_deep() -> None:
    """Groups nest as task groups do."""
    error = EngineError("deep")
    inner = BaseExceptionGroup("inner", [error])
    group = BaseExceptionGroup[EngineError]("outer", [inner])  # type: ignore[list-item]

    assert first_error(group) is error
