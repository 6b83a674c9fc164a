"""Speakers told apart for real: the models, the process, recorded people."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.errors import EngineError, RecordingError
from livebot.stt.diarize import find
from livebot.stt.diarize.find import find_turns
from livebot.stt.diarize.messages import Find, to_frame
from livebot.stt.diarize.turns import Turn
from livebot.stt.host import framing
from tests.support.recorded_speech import recording

pytestmark = pytest.mark.timeout(120)

PROGRAMME = (
    ("two_cities", 1.0, 6.0),
    ("jfk", 0.2, 5.0),
    ("two_cities", 6.5, 11.5),
    ("jfk", 5, 10.6),
)
"""Who, and from when to when of the recording."""


def write(path: Path, samples: Samples) -> Path:
    """Write a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return path


def cut(name: str, start: float, end: float) -> Samples:
    """Return a part of a recording."""
    return recording(name).audio[int(start * RATE_HZ) : int(end * RATE_HZ)]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give twenty seconds in which two people take turns, with a pause after each."""
    parts = [part for each in PROGRAMME for part in (cut(*each), silence(RATE_HZ // 2))]
    return write(tmp_path_factory.mktemp("talk") / "talk.wav", np.concatenate(parts))


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a recording that takes a while."""
    audio = np.tile(recording("two_cities").audio, 4)
    return write(tmp_path_factory.mktemp("speech") / "speech.wav", audio)


def wrong_s(turns: Sequence[Turn]) -> float:
    """Return how many seconds of the talk are in turns of the wrong person."""
    wrong, at = 0.0, 0.0
    for number, (_, start, end) in enumerate(PROGRAMME):
        for turn in turns:
            if turn.speaker != number % 2:
                wrong += max(0.0, min(turn.end, at + end - start) - max(turn.start, at))
        at += end - start + 0.5
    return wrong


def children() -> list[psutil.Process]:
    """Return the processes that tell speakers apart."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


async def test_two_people_are_told_apart(talk: Path) -> None:
    """Who they are is found without knowing how many there are."""
    heard: list[float] = []

    turns = await find_turns(talk, on_progress=heard.append)

    assert {turn.speaker for turn in turns} == {0, 1}
    assert wrong_s(turns) < 1.0
    assert sum(turn.end - turn.start for turn in turns) > 13
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(22.4, abs=0.1)
    assert not children()


async def test_the_number_of_people_can_be_given(talk: Path) -> None:
    """One is one, however different the voices; at a core's speed."""
    turns = await find_turns(talk, speakers=1, cpu_limit=1)

    assert {turn.speaker for turn in turns} == {0}


async def test_silence_is_nobody(tmp_path: Path) -> None:
    """No turns, and no error."""
    assert await find_turns(write(tmp_path / "silence.wav", silence(RATE_HZ * 30))) == []


async def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    """As reading it would tell."""
    text = tmp_path / "notes.wav"
    text.write_text("no sound")

    for path in (text, tmp_path / "missing.wav", tmp_path):
        with pytest.raises(RecordingError):
            await find_turns(path)


async def test_a_killed_process_is_an_error(speech: Path) -> None:
    """Which names what kills such a process."""
    started = asyncio.Event()
    task = asyncio.create_task(find_turns(speech, on_progress=lambda _: started.set()))
    await started.wait()

    for child in children():
        child.send_signal(signal.SIGKILL)

    with pytest.raises(EngineError, match="memory") as told:
        await task
    assert told.value.retryable


async def test_too_little_memory_is_an_error(speech: Path) -> None:
    """Not a traceback."""
    with pytest.raises(EngineError, match="LT_MEMORY_LIMIT"):
        await find_turns(speech, memory_limit=64 << 20)


async def test_a_cancelled_task_leaves_no_process(speech: Path) -> None:
    """Within two seconds."""
    started = asyncio.Event()
    task = asyncio.create_task(find_turns(speech, on_progress=lambda _: started.set()))
    await started.wait()

    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task

    assert not children()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(60)", "hangs"),
        ("print('warning: something a library prints')", "not a JSON object"),
        ('print(\'{"type":"pong"}\')', "no message"),
        ("", "ended"),
    ],
)
async def test_a_process_that_goes_wrong_is_an_error(
    monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    """Whatever it does, and nothing of it remains."""
    monkeypatch.setattr(find, "_PROGRAM", (sys.executable, "-c", program))
    monkeypatch.setattr(find, "SILENT_S", 1.0 if "sleep" in program else 60.0)

    with pytest.raises(EngineError, match=message):
        await find_turns(Path("any.wav"))
    assert not children()


async def test_a_process_that_cannot_be_started_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system does not let us."""
    monkeypatch.setattr(find, "_PROGRAM", ("/nowhere/python",))

    with pytest.raises(EngineError, match="started"):
        await find_turns(Path("any.wav"))


async def test_the_process_does_not_outlive_its_parent(speech: Path) -> None:
    """It ends with its input, in the middle of its work."""
    program = [sys.executable, "-m", "livebot.stt.diarize.worker"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(framing.encode(to_frame(Find(os.fsencode(speech)))))
    assert await process.stdout.readline()

    process.stdin.close()

    async with asyncio.timeout(10):
        said = await process.stdout.read()
        await process.wait()
    assert b'"done"' not in said


async def test_nobody_is_no_number_of_people() -> None:
    """A mistake of the caller, not of the file."""
    with pytest.raises(ValueError, match="one"):
        await find_turns(Path("any.wav"), speakers=0)
