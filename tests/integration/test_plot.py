"""Pictures of recordings, sound and all."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from livebot.errors import RecordingError
from livebot.recordings import peaks
from livebot.recordings.peaks import peaks_of
from tests.support.recorded_speech import FOLDER, recording

SPEECH = FOLDER / "ls_7902.wav"


async def test_peaks_of_a_recording() -> None:
    """As long as it is, and as loud."""
    found = await peaks_of(SPEECH)

    with wave.open(str(SPEECH)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert len(found.low) * found.bin_s == pytest.approx(seconds, abs=0.01)
    assert found.high.max() == pytest.approx(recording("ls_7902").audio.max(), abs=0.05)
    assert found.low.min() == pytest.approx(recording("ls_7902").audio.min(), abs=0.05)


async def test_what_is_no_recording_has_no_peaks(tmp_path: Path) -> None:
    """Nor has what is not there, whatever it is called."""
    path = tmp_path / "x.wav"
    path.write_bytes(os.urandom(1000))
    for each in (path, tmp_path / "nothing", tmp_path / "-c"):
        with pytest.raises(RecordingError, match="decoded"):
            await peaks_of(each)


async def test_a_process_that_says_nonsense_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is told, not believed."""
    for said in (struct.pack("=Id", 7, 0.1), struct.pack("=Id", 0, float("nan")), b"x" * 13):
        path = tmp_path / "said"
        path.write_bytes(said)
        monkeypatch.setattr(peaks, "_PROGRAM", ("cat",))
        with pytest.raises(RecordingError, match="ended in the middle"):
            await peaks_of(path)
    monkeypatch.setattr(peaks, "_PROGRAM", (str(tmp_path / "nowhere"),))
    with pytest.raises(RecordingError, match="cannot be started"):
        await peaks_of(SPEECH)


async def test_it_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process ends with it."""
    monkeypatch.setattr(peaks, "_PROGRAM", ("sleep", "60", "0"))
    task = asyncio.create_task(peaks_of(Path("60")))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_picture_from_the_command_line(tmp_path: Path) -> None:
    """Beside the JSON that names it. Spec: command-line/Pictures."""
    command = [sys.executable, "-m", "livebot", "transcribe", str(SPEECH), "--plot", "--json"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, timeout=55, check=True
    )
    line = json.loads(done.stdout)
    assert line["outputs"] == ["ls_7902.svg"]
    found = (tmp_path / "ls_7902.svg").read_text()
    assert 'class="sound nobody"' in found
    assert ">cutter</text>" in found
