"""A recording of three hours through the command line: memory, progress, the end, giving up."""

import asyncio
import json
import os
import signal
import sys
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.audio.resample import Resampler
from tests.soak.report import Report, table
from tests.support.recorded_speech import recording
from tests.support.wer import wer

HOURS = float(os.environ.get("SOAK_HOURS", "3"))
NAMES = ("ls_61", "libri_02_spk1188")
LAST = "ls_6930"
"""Said once, at the very end."""

FILE_HZ = 16_000
GROWTH_MB = 80.0
"""From a tenth of the way to the end, all processes together. The samples would be 1.3 GB."""

CANCEL_WITHIN_S = 2.0

LISTENING_S = HOURS * 3600 / 4
"""A loaded machine is four times as fast as speech at least."""

pytestmark = [pytest.mark.timeout(120 + 2 * LISTENING_S)]


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the recording, and what is said in it."""
    path = tmp_path_factory.mktemp("long") / "meeting.wav"
    said = [*NAMES] * int(HOURS * 3600 / _seconds(NAMES)) + [LAST]
    sound = {name: _at_file_rate(recording(name).audio) for name in {*NAMES, LAST}}
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(FILE_HZ)
        for name in said:
            file.writeframes(sound[name])
    return path, " ".join(recording(name).text for name in said)


def _seconds(names: tuple[str, ...]) -> float:
    return sum(len(recording(name).audio) / RATE_HZ + 1.0 for name in names)


def _at_file_rate(samples: Samples) -> bytes:
    """Return a recording and a second of silence."""
    resampler = Resampler(RATE_HZ, FILE_HZ)
    whole = np.concatenate([samples, silence(RATE_HZ)])
    resampled = np.concatenate([resampler.push(whole), resampler.flush()])
    return (resampled.clip(-1, 1) * 32767).astype("<i2").tobytes()


@asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `livebot daemon`, ready, which may read a folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "livebot", "daemon"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LT_ALLOWED_PATHS": str(folder), "LT_ENGINE_WORKERS": "1"},
        limit=1 << 24,
    )
    try:
        assert (await answer(process, 60))["status"] == "ready"
        yield process
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answer(process: asyncio.subprocess.Process, within_s: float) -> dict[str, object]:
    """Return the next line."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), within_s)
    found: dict[str, object] = json.loads(line)
    return found


def ask(process: asyncio.subprocess.Process, **request: object) -> None:
    """Ask."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")


def memory_mb(pid: int) -> float:
    """Return what a program and its workers hold, in MiB."""
    main = psutil.Process(pid)
    every = [main, *main.children(recursive=True)]
    return float(sum(process.memory_info().rss for process in every)) / (1 << 20)


async def test_a_long_recording(long_file: tuple[Path, str], report: Report) -> None:
    """Memory is bounded, progress only grows, and the last word is there."""
    path, said = long_file
    heard: list[float] = []
    memory: list[float] = []
    async with daemon(path.parent) as process:
        started = time.monotonic()
        ask(process, path=str(path), id="a", progress=True)
        found: dict[str, object] = {}
        async with asyncio.timeout(LISTENING_S):
            while "text" not in found:
                found = await answer(process, 60)
                assert "error" not in found, found
                if isinstance(now := found.get("heard_s"), float):
                    heard.append(now)
                    memory.append(memory_mb(process.pid))
        took_s = time.monotonic() - started

        assert heard == sorted(heard)
        assert len(heard) > 100
        early = memory[: len(memory) // 10]
        comparison = wer(said, str(found["text"]))
        rows = [
            ("length, s", f"{found['duration']}"),
            ("took, s", f"{took_s:.0f} ({took_s / (HOURS * 3600):.3f} of its length)"),
            ("memory, MiB", f"{max(early):.0f} in the first tenth, {max(memory):.0f} at most"),
            ("progress lines", str(len(heard))),
            ("words wrong", f"{comparison.wrong} of {comparison.words}"),
        ]
        report.tables["A recording of three hours"] = table([("", ""), *rows])
        assert max(memory) - max(early) < GROWTH_MB
        assert comparison.rate < 0.1
        assert wer(recording(LAST).text, _last_words(str(found["text"]))).rate < 0.2


def _last_words(text: str) -> str:
    return " ".join(text.split()[-len(recording(LAST).text.split()) :])


async def test_giving_up(long_file: tuple[Path, str], report: Report) -> None:
    """Whoever cancels in the middle is answered at once, and the worker is free."""
    path, _ = long_file
    async with daemon(path.parent) as process:
        ask(process, path=str(path), id="a", progress=True)
        now: object = 0.0
        while not isinstance(now, float) or now < HOURS * 360:
            now = (await answer(process, 60)).get("heard_s")
        started = time.monotonic()
        ask(process, cancel="a")
        found: dict[str, object] = {}
        while "canceled" not in found:
            found = await answer(process, 10)
        took_s = time.monotonic() - started
        report.tables["Giving it up"] = table([("", ""), ("answered after, s", f"{took_s:.3f}")])
        assert took_s < CANCEL_WITHIN_S
