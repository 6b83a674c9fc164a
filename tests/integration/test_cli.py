"""The commands that serve, as processes."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# An engine that connects to nobody before somebody speaks.
ENVIRONMENT = {
    "LT_HPB_URL": "ws://127.0.0.1:1",
    "LT_INTERNAL_SECRET": "hunter2",
    "LT_ENGINE": "moshi",
    "STT_STREAM_URL": "ws://127.0.0.1:1",
    "PORT": "0",
}


@contextmanager
def livebot(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in an empty folder with the settings above."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "livebot", *arguments],
        cwd=folder,
        env=kept | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until_started(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Return the lines up to the one that says so."""
    assert process.stdout is not None
    found = []
    for line in process.stdout:
        found.append(json.loads(line))
        if found[-1]["message"] == "started":
            return found
    raise AssertionError(process.stderr and process.stderr.read())


def test_serve_until_sigterm(tmp_path: Path) -> None:
    """It answers, tells that its Nextcloud is a guess, and ends with 0 when told to.

    Spec: room-control/Drain, configuration/Nextcloud address.
    """
    with livebot(tmp_path, "serve") as process:
        *before, line = until_started(process)
        assert [one["message"] for one in before] == ["backend_derived"]
        with urllib.request.urlopen(
            f"http://127.0.0.1:{line['port']}/healthz", timeout=5
        ) as answer:
            assert json.load(answer)["status"] == "healthy"

        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")
    assert "hunter2" not in out
    assert [json.loads(line)["message"] for line in out.splitlines()] == ["stopping", "stopped"]


def test_stt_server_until_sigterm(tmp_path: Path) -> None:
    """It answers and ends with 0 when told to."""
    with livebot(tmp_path, "stt-server", "--engine", "moshi", "--port", "0") as process:
        port = until_started(process)[-1]["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            assert answer.status == 200

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--host", "0.0.0.0"], "a key"), (["--dialect", "klingon"], "klingon")],
)
def test_stt_server_that_cannot_start(tmp_path: Path, arguments: list[str], said: str) -> None:
    """What is wrong is one line, and the exit code 2. Spec: command-line/Exit codes."""
    with livebot(tmp_path, "stt-server", "--engine", "moshi", *arguments) as process:
        _, err = process.communicate(timeout=20)

    assert process.returncode == 2
    assert said in err
    assert "Traceback" not in err
