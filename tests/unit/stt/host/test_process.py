"""Tests of `livebot.stt.host.process`, without a process."""

from types import SimpleNamespace
from typing import Any

from livebot.stt.host.process import WorkerProcess


async def test_closing_a_stream_of_a_worker_that_just_ended_is_no_error() -> None:
    """An error from a clean-up would take the place of the cancellation that caused it."""
    stdin = SimpleNamespace(write=lambda _: None, is_closing=lambda: False)
    process: Any = SimpleNamespace(stdin=stdin, stdout=None, pid=1)
    worker = WorkerProcess(process)
    stream = worker.open()
    stdin.is_closing = lambda: True

    worker.close(stream)

    assert worker.load == 0
