"""Tests of `livebot.stt.host.process`, without a process."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from livebot.errors import EngineError
from livebot.stt.host import framing
from livebot.stt.host.messages import Progress, Read, to_frame
from livebot.stt.host.process import SILENT_S, WorkerProcess
from livebot.stt.host.stream import Note


def worker_at(stdin: Any) -> tuple[WorkerProcess, asyncio.StreamReader]:
    """Return a worker without a process, and where it speaks."""
    stdout = asyncio.StreamReader()
    process: Any = SimpleNamespace(stdin=stdin, stdout=stdout, pid=1)
    return WorkerProcess(process), stdout


async def test_closing_a_stream_of_a_worker_that_just_ended_is_no_error() -> None:
    """An error from a clean-up would take the place of the cancellation that caused it."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: False)
    process: Any = SimpleNamespace(stdin=stdin, stdout=None, pid=1)
    worker = WorkerProcess(process)
    stream = worker.open()
    stdin.is_closing = lambda: True

    worker.close(stream)

    assert worker.load == 0


async def test_nonsense_from_a_worker_refuses_no_further_stream() -> None:
    """It ends this life only; an engine that refuses streams would be left alone for a minute."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: False)
    worker, stdout = worker_at(stdin)
    stream = worker.open()
    stdout.feed_data(b"warning: something a library prints\n")

    with pytest.raises(EngineError) as ended:
        await worker.run()
    with pytest.raises(EngineError) as lost:
        await stream.finish()
    assert ended.value.retryable
    assert lost.value.retryable


@pytest.mark.virtual_time
async def test_a_worker_that_closes_its_input_is_found_by_its_silence() -> None:
    """Asking it for a sign of life is no error of ours."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: True)
    worker, _ = worker_at(stdin)
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))

    async with asyncio.timeout(2 * SILENT_S):
        with pytest.raises(EngineError, match="hangs"):
            await worker.run()
    assert not faults


async def test_what_a_listener_raises_ends_its_own_stream_only() -> None:
    """Whoever shows the progress, on a screen that is gone for example, has neighbours."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: False)
    worker, stdout = worker_at(stdin)
    shown: list[Note] = []

    def fail(_: Note) -> None:
        raise ZeroDivisionError

    mine, theirs = worker.read(Read(0, "a"), fail), worker.read(Read(0, "b"), shown.append)
    for number in (mine.number, theirs.number):
        stdout.feed_data(framing.encode(to_frame(Progress(number, 1.0, 2.0))))
    running = asyncio.create_task(worker.run())

    with pytest.raises(ZeroDivisionError):
        await anext(mine.events())
    assert shown == [Progress(theirs.number, 1.0, 2.0)]
    assert worker.is_alive
    stdout.feed_eof()
    with pytest.raises(EngineError):
        await running


async def test_a_stream_that_cannot_begin_is_no_load() -> None:
    """Its worker would seem busy for ever, and others would get what it could do."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: True)
    worker, _ = worker_at(stdin)

    with pytest.raises(EngineError):
        worker.open()
    assert worker.load == 0
