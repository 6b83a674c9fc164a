"""`livebot listen` as a process, with the embedded model."""

import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.support.recorded_speech import FOLDER, recording
from tests.support.wer import wer

PROGRAM = (sys.executable, "-m", "livebot", "listen", "--json")
NAME = "ls_7902"


def raw() -> bytes:
    """Return speech as 16-bit samples at 16 kHz."""
    with wave.open(str(FOLDER / f"{NAME}.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        frames: bytes = file.readframes(file.getnframes())
    return frames


@pytest.mark.timeout(120)
def test_words_come_while_sound_comes_and_the_last_at_ctrl_c(tmp_path: Path) -> None:
    """Although the pipe stays open. Spec: command-line/Live sound."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        PROGRAM,
        cwd=tmp_path,
        env=kept,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(raw() + bytes(16_000))
            process.stdin.flush()
            first = process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)
            rest, told = process.communicate(timeout=60)
        finally:
            process.kill()

    assert (process.returncode, told) == (0, b"")
    events = [json.loads(line) for line in (first + rest).splitlines()]
    assert events[-1] == {"type": "end"}
    said = " ".join(event["text"] for event in events if event["type"] == "word")
    assert wer(recording(NAME).text, said).rate <= 0.25
