"""Who speaks when in a file, found out by a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from livebot.errors import EngineError, RecordingError
from livebot.stt.diarize import messages
from livebot.stt.diarize.messages import (
    Done,
    Failed,
    Find,
    Found,
    FromProcess,
    Heard,
    Unreadable,
)
from livebot.stt.diarize.turns import Turn
from livebot.stt.diarize.voices import CURE_MEMORY
from livebot.stt.host import framing
from livebot.stt.host.framing import FramingError

SILENT_S = 120.0
"""It says something for every 2.5 s of the recording, and in the end compares all voices: some
seconds. On a machine with far too much to do, many times that."""

MEMORY = 1 << 30
"""Bytes; half an hour takes a fifth of it, and more hours hardly more."""

MAX_THREADS = 4
"""More do not make it faster."""

_READ = 65_536
_PROGRAM = (sys.executable, "-m", "livebot.stt.diarize.worker")


async def find_turns(
    path: Path,
    *,
    speakers: int | None = None,
    on_progress: Callable[[float], None] | None = None,
    memory_limit: int = 0,
    cpu_limit: int = 0,
) -> list[Turn]:
    """Tell who speaks when in a file.

    It takes about an eighth of the recording's length on one core. Who speaks for less than two
    seconds in all is taken for somebody else. Cancel the task to end it at once.

    Args:
        path: Anything `open_recording` reads.
        speakers: How many people there are, if that is known: then as many are told apart, or
            fewer if no more of them speak for two seconds. Without, people whose voices are
            clearly different.
        on_progress: Told now and then how many seconds have been heard; never fewer than before.
        memory_limit: As many bytes the process may hold; 0 for what suits the models.
        cpu_limit: As many cores it may use; 0 for up to `MAX_THREADS`.

    Returns:
        Turns ordered by start; speakers are numbered in the order in which they are first heard.
        Empty where nobody speaks.

    Raises:
        RecordingError: The file cannot be read.
        EngineError: The models cannot be had, or the process ended, hung or used up its memory.
        ValueError: `speakers` is less than 1.
    """
    if speakers is not None and speakers < 1:
        raise ValueError("a recording has one speaker at least")
    threads = min(MAX_THREADS, os.cpu_count() or 1, cpu_limit or MAX_THREADS)
    process = await _start()
    try:
        _ask(process, Find(os.fsencode(path), speakers, threads, memory_limit or MEMORY))
        return await _answer(process, on_progress or (lambda _: None))
    finally:
        _end(process)
        # Also where the task is cancelled again: a killed process takes no time to end.
        await asyncio.shield(process.wait())


async def _start() -> Process:
    try:
        return await asyncio.create_subprocess_exec(*_PROGRAM, stdin=PIPE, stdout=PIPE)
    except OSError as exc:
        raise EngineError("the process that tells speakers apart cannot be started") from exc


def _ask(process: Process, question: Find) -> None:
    if process.stdin is not None:
        process.stdin.write(framing.encode(messages.to_frame(question)))


def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()


async def _answer(process: Process, on_progress: Callable[[float], None]) -> list[Turn]:
    decoder = framing.Decoder()
    found: list[Turn] = []
    try:
        while data := await _read(process):
            for frame in decoder.feed(data):
                if _take(messages.read_from_process(frame), found, on_progress):
                    return found
    except TimeoutError as exc:
        raise EngineError("the process that tells speakers apart hangs") from exc
    except FramingError as exc:
        raise EngineError(f"the process that tells speakers apart: {exc}") from exc
    raise EngineError(f"the process that tells speakers apart ended: {CURE_MEMORY}")


async def _read(process: Process) -> bytes:
    async with asyncio.timeout(SILENT_S):
        return await process.stdout.read(_READ) if process.stdout is not None else b""


def _take(message: FromProcess, found: list[Turn], on_progress: Callable[[float], None]) -> bool:
    """Take in what the process says; return whether that was all.

    Raises:
        RecordingError: It cannot read the file.
        EngineError: It cannot work.
    """
    match message:
        case Heard(seconds=seconds):
            on_progress(seconds)
        case Found(turns=turns):
            found += turns
        case Unreadable(message=text):
            raise RecordingError(text)
        case Failed(message=text):
            raise EngineError(text, retryable=False)
        case Done():
            return True
    return False
