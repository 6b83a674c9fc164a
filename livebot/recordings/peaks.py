"""How loud a file is where, found out by a process of its own.

    python -m livebot.recordings.peaks FILE

It decodes once, a second at a time, and prints: four bytes with the samples' count, eight with
the length of a stretch, and the lowest and highest samples, as `struct` and numpy write them on
this machine. A file that breaks a decoder breaks that process and nothing else.
"""

import asyncio
import os
import resource
import struct
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final

import numpy as np

from livebot.audio.peaks import MOST_BINS, PeakMeter, Peaks
from livebot.errors import RecordingError

RATE_HZ: Final = 8_000
"""What speech is made of; a higher one shows nothing more."""

MEMORY: Final = 1 << 30
"""Bytes. It takes a tenth of that; a file that needs more is drawn without."""

NICE: Final = 10
"""A picture can wait for captions."""

_HEAD = struct.Struct("=Id")
_MOST_BYTES: Final = _HEAD.size + 2 * 4 * (MOST_BINS + 1)
_PROGRAM: Final = (sys.executable, "-m", "livebot.recordings.peaks")


async def peaks_of(path: Path) -> Peaks:
    """Find the peaks of a file. Cancel the task to end it at once.

    Args:
        path: Anything `open_recording` reads.

    Raises:
        RecordingError: The file cannot be read.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_PROGRAM, os.fsencode(path), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
    except OSError as exc:
        raise RecordingError("the process that reads its peaks cannot be started") from exc
    try:
        data = await _all(process)
        # Only who is certain to run is killed: of others, asyncio would lose the exit code.
        await process.wait()
        return _read(data)
    finally:
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        # Also where the task is cancelled again: a killed process takes no time to end.
        await asyncio.shield(process.wait())


async def _all(process: Process) -> bytes:
    found = b""
    while process.stdout is not None and (data := await process.stdout.read(_MOST_BYTES)):
        found += data
    return found


def _read(data: bytes) -> Peaks:
    """Return what a process printed.

    Raises:
        RecordingError: It printed something else, or nothing.
    """
    if len(data) < _HEAD.size:
        raise RecordingError("it cannot be decoded; copy or record it again")
    count, bin_s = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + 2 * 4 * count or not 0 < bin_s < float("inf"):
        raise RecordingError("the process that reads its peaks ended in the middle; try again")
    both = np.frombuffer(data, np.float32, offset=_HEAD.size)
    return Peaks(both[:count], both[count:], bin_s)


def main(path: str) -> int:
    """Print the peaks of a file; return the exit code."""
    from livebot.recordings.decode import open_recording

    os.nice(NICE)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    meter = PeakMeter(RATE_HZ)
    try:
        with open_recording(Path(path)) as recording:
            for block in recording.blocks(RATE_HZ):
                meter.push(block)
        found = meter.result()
        sys.stdout.buffer.write(_HEAD.pack(len(found.low), found.bin_s))
        sys.stdout.buffer.write(found.low.tobytes() + found.high.tobytes())
        sys.stdout.buffer.flush()
    except (RecordingError, MemoryError, BrokenPipeError):
        return 1
    return 0


def _end_with_input() -> None:
    """End with the parent, who holds the other end."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
