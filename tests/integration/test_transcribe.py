"""`livebot transcribe` as a process, with the embedded model."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.support.recorded_speech import FOLDER
from tests.support.sound_files import BROKEN, command_without_privileges, speech_text
from tests.support.wer import wer

# fmt: off
HEARD = (
    "wav-one-sample", "wav-truncated", "wav-length-unknown", "wav-extensible-24-bit",
    "wav-8-khz", "wav-192-khz", "wav-8-channels", "mp3-named-wav", "m4a-truncated", "film",
)
# fmt: on
"""Of those that can be understood, some: decoding is tested elsewhere."""

SPEECH = FOLDER / "ls_7902.wav"
PROGRAM = (sys.executable, "-m", "livebot", "transcribe")


def environment() -> dict[str, str]:
    """Return one without settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def livebot(
    folder: Path, *arguments: str, stdin: BinaryIO | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(),
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )


@pytest.mark.timeout(180)
def test_every_broken_recording_is_understood_or_one_line(tmp_path: Path) -> None:
    """All in one process, and none of them stops the others.

    Spec: command-line/Recordings.
    """
    paths = {}
    for name, broken in BROKEN.items():
        if not broken.error and name not in HEARD:
            continue
        folder = tmp_path / name
        folder.mkdir()
        paths[name] = str(broken.make(folder))

    done = subprocess.run(
        command_without_privileges(*PROGRAM, "--json", *paths.values()),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    found = {line["source"]: line for line in map(json.loads, done.stdout.splitlines())}
    wrong = {name: said for name, path in paths.items() if (said := _wrong(name, found[path]))}
    assert wrong == {}
    told = [line for line in done.stderr.splitlines() if not re.search(r": \d+:\d\d in ", line)]
    assert len(told) == sum(bool(broken.error) for broken in BROKEN.values())


def _wrong(name: str, line: Mapping[str, Any]) -> str:
    """Return what is not as it must be; nothing where all is."""
    broken = BROKEN[name]
    if broken.error:
        error = line.get("error", "no error")
        return "" if re.search(broken.error, error) and "\n" not in error else error
    if "error" in line:
        return str(line["error"])
    if not broken.is_clear:
        return ""
    heard = wer(speech_text(), line["text"])
    return str(heard) if heard.rate > 0.25 else ""


def test_a_folder_becomes_files(tmp_path: Path) -> None:
    """In each form, below the output folder; what is there stays, and is told of.

    Spec: command-line/Transcripts.
    """
    (tmp_path / "in" / "monday").mkdir(parents=True)
    (tmp_path / "in" / "monday" / "talk.wav").write_bytes(SPEECH.read_bytes())
    (tmp_path / "in" / "notes.txt").write_text("no recording")
    arguments = ("in", "-o", "out/", "-f", "srt,json", "--words", "--speakers", "1")

    done = livebot(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (0, "")
    assert "\x1b" not in done.stderr
    left_out, finished = done.stderr.splitlines()
    assert left_out.endswith("in/notes.txt")
    assert re.search(r"talk.wav: .* language en .*, 1 speaking -> out/.*, out/.*", finished)
    said = json.loads((tmp_path / "out" / "monday" / "talk.json").read_text())
    assert said["text"].startswith("I am from the cutter")
    assert (said["language"], said["speakers"]) == ("en", ["SPEAKER_1"])
    assert said["segments"][0]["words"][1]["text"] == "am"
    assert "\nSPEAKER_1: I" in (tmp_path / "out" / "monday" / "talk.srt").read_text()

    again = livebot(tmp_path, *arguments)

    assert again.returncode == 1
    assert "is there already; --force replaces it" in again.stderr


def test_what_is_piped_comes_out_as_text(tmp_path: Path) -> None:
    """And nothing else is on stdout. Spec: command-line/Recordings."""
    with SPEECH.open("rb") as speech:
        done = livebot(tmp_path, "-", "--quiet", stdin=speech)

    assert done.returncode == 0
    assert wer(speech_text(), done.stdout).rate <= 0.25
    assert done.stdout.endswith(".\n")
    assert done.stderr == ""


@pytest.mark.timeout(180)
def test_ctrl_c_ends_it_soon(tmp_path: Path) -> None:
    """What is finished stays, and nothing is there by halves. Spec: command-line/Exit codes."""
    (tmp_path / "a.wav").write_bytes(SPEECH.read_bytes())
    with wave.open(str(SPEECH)) as short, wave.open(str(tmp_path / "b.wav"), "wb") as long:
        long.setparams(short.getparams())
        long.writeframes(short.readframes(short.getnframes()) * 1000)
    command = [*PROGRAM, "a.wav", "b.wav", "-o", "out", "--workers", "1"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 100
            while not (tmp_path / "out" / "a.txt").exists():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            # As a terminal does: to all processes of the group.
            os.killpg(process.pid, signal.SIGINT)
            interrupted = time.monotonic()
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 130
    assert time.monotonic() - interrupted < 20
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]
    assert "Traceback" not in told
    assert told.splitlines()[1:] == []


def test_a_model_that_does_not_exist_is_wrong_use(tmp_path: Path) -> None:
    """Said at once, with the names of those that do. Spec: command-line/Recordings."""
    done = livebot(tmp_path, str(SPEECH), "--model", "tiny.de")

    assert done.returncode == 2
    assert "no model is called 'tiny.de'" in done.stderr
    assert "did you mean tiny" in done.stderr
    assert len(done.stderr.splitlines()) == 1
