"""`livebot daemon` as a process, with the embedded model, driven by other programs."""

import asyncio
import io
import json
import os
import random
import signal
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest
from aiohttp import web

from tests.support.daemon_client import PROGRAM, Daemon, NaiveClient, daemon, environment, over
from tests.support.recorded_speech import FOLDER, recording
from tests.support.waiting import until
from tests.support.wer import wer

SPEECH = FOLDER / "ls_7902.wav"
TEXT = recording("ls_7902").text

LOCAL = {"LT_FETCH_HOSTS": "127.0.0.1", "LT_ALLOWED_PATHS": str(FOLDER)}


def sound(seconds: float) -> bytes:
    """Return a file of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(2 * round(8000 * seconds)))
    return file.getvalue()


@asynccontextmanager
async def site() -> AsyncIterator[tuple[str, Counter[str]]]:
    """Serve speech, silences of any length, and a file that never ends; count what is asked."""
    asked: Counter[str] = Counter()
    is_over = asyncio.Event()
    speech = await asyncio.to_thread(SPEECH.read_bytes)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked[request.path] += 1
        name = request.path.strip("/")
        if name == "hangs":
            answer = web.StreamResponse()
            await answer.prepare(request)
            await answer.write(b"RIFF")
            await is_over.wait()
            return answer
        if name == "missing":
            return web.Response(status=404)
        return web.Response(body=speech if name == "speech" else sound(float(name)))

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        is_over.set()
        await runner.cleanup()


@pytest.fixture
def speech_url() -> Iterator[str]:
    """Serve speech from a thread, for clients that wait."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SPEECH.read_bytes())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/speech.wav"
        server.shutdown()
        thread.join()


def is_right(answer: dict[str, Any]) -> bool:
    """Say whether an answer is what is said in the speech, with times in order."""
    times = [time for word in answer["words"] for time in (word["start"], word["end"])]
    return wer(TEXT, answer["text"]).rate < 0.2 and times == sorted(times) and times[-1] <= 60


def test_a_naive_client_is_served(tmp_path: Path, speech_url: str) -> None:
    """It knows of `ready`, of one line per URL, and of `audio_url` in the answer.

    Spec: daemon/Answers, daemon/First line.
    """
    with NaiveClient(tmp_path, LOCAL) as client:
        assert client.is_alive()
        first = client.transcribe(speech_url)
        second = client.transcribe(speech_url)
        refused = client.transcribe("http://10.0.0.1/a.wav")

    assert is_right(first)
    assert first["words"] == second["words"]
    assert first["language"] == "en"
    assert first["duration"] == pytest.approx(recording("ls_7902").audio.size / 24_000, abs=0.1)
    assert refused["error"].startswith("the address leads into a private network")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "value", "cause"),
    [
        ("LT_MODEL", "no-such-model", "no-such-model"),
        ("LT_QUEUE_LIMIT", "many", "LT_QUEUE_LIMIT"),
        ("LT_TEMP_DIR", "/dev/null/a", "LT_TEMP_DIR"),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, setting: str, value: str, cause: str) -> None:
    """In one line of JSON, and fails.

    Spec: daemon/First line.
    """
    done = subprocess.run(
        PROGRAM,
        input=b'{"audio_url":"ping"}\n',
        capture_output=True,
        cwd=tmp_path,
        env=environment(**{setting: value}),
        check=False,
    )
    (line,) = done.stdout.splitlines()
    found = json.loads(line)

    assert done.returncode == 1
    assert found["status"] == "error"
    assert cause in found["error"] == found["message"]
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("closed", "lines"), [(0, 1), (1, 0), (2, 1)])
def test_what_is_closed_is_no_reason_to_break(tmp_path: Path, closed: int, lines: int) -> None:
    """Some service managers start programs without standard error, or with less."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", *PROGRAM],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        env=environment(LT_MODEL="no-such-model"),
        check=False,
    )

    assert done.returncode == 1
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["error"] * lines
    assert b"Traceback" not in done.stderr


HANGING = """
import socket, sys, time
socket.getaddrinfo = lambda *_, **__: time.sleep(600)
from livebot.daemon.main import run
from livebot.settings import load_settings
sys.exit(run(load_settings()))
"""


def test_a_name_that_is_never_found_holds_up_no_end(tmp_path: Path) -> None:
    """A thread waits for it, which nobody can stop.

    Spec: daemon/End.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment(LT_TEMP_DIR=str(tmp_path)),
    )
    with process:
        assert process.stdin
        assert process.stdout
        assert b"ready" in process.stdout.readline()
        process.stdin.write(b'{"audio_url":"http://never.example/a.wav"}\n{"status":1}\n')
        process.stdin.flush()
        assert b"running" in process.stdout.readline()
        # Asked twice, it ends at once; signals of the same kind are counted once while they wait.
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert b"stopping" in process.stdout.readline()

        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


async def test_a_hundred_requests_and_all_else_at_once(tmp_path: Path) -> None:
    """Ten of them for one URL; besides, pings, garbage, faults, progress, a stream, and a cancel.

    Spec: daemon/Requests, daemon/Progress, daemon/Cancelling, daemon/Live streams, daemon/Garbage.
    """
    spool = tmp_path / "spool"
    async with site() as (url, asked), daemon(tmp_path, LT_TEMP_DIR=str(spool), **LOCAL) as one:
        lengths = [round(0.3 + number / 100, 2) for number in range(84)]
        await one.say(
            {"audio_url": f"{url}/hangs", "id": "hangs"},
            *({"audio_url": f"{url}/speech", "id": f"equal-{n}"} for n in range(10)),
            *({"audio_url": f"{url}/{length}", "id": length_id(length)} for length in lengths),
            {"audio_url": f"{url}/missing", "id": "missing"},
            {"audio_url": f"{url}/speech", "id": "model", "model": "/etc"},
            {"path": "/etc/passwd", "id": "path"},
            {"path": str(SPEECH), "id": "read", "progress": True},
            {"path": str(FOLDER), "id": "folder"},
            b"garbage\n",
            {"type": "open", "stream": "live"},
        )
        await say_all(one, "live")
        await until(lambda: asked["/hangs"])
        await one.say({"cancel": "hangs"}, {"audio_url": "ping", "id": "ping"}, {"status": 1})

        canceled = await one.answer("hangs", 2.0)
        for name in [f"equal-{n}" for n in range(10)]:
            answer = await one.answer(name, 50)
            assert is_right(answer)
            assert answer["audio_url"] == f"{url}/speech"
        for length in lengths:
            answer = await one.answer(length_id(length))
            assert (answer["text"], answer["duration"]) == ("", pytest.approx(length, abs=0.01))
        assert "answered 404" in (await one.answer("missing"))["error"]
        assert "no such model" in (await one.answer("model"))["error"]
        assert "LT_ALLOWED_PATHS" in (await one.answer("path"))["error"]
        assert "is no file" in (await one.answer("folder"))["error"]
        assert is_right(await one.answer("read"))
        await until(lambda: one.about(type="done", stream="live"), 50)
        files = list(spool.rglob("fetched-*"))
        one.hang_up()
        assert await over(one) == 0

    assert canceled["canceled"]
    assert asked["/speech"] == 10
    assert len(one.about(error="the line is not a JSON object")) == 1
    assert one.about(status="pong", id="ping")
    assert one.about(status="running", healthy=True)
    heard = [line["progress"] for line in one.about(id="read") if "progress" in line]
    assert heard == sorted(heard)
    words = " ".join(line["text"] for line in one.about(type="word", stream="live"))
    assert wer(TEXT, words).rate < 0.25
    assert files == []
    assert list(spool.iterdir()) == []
    assert not any(url in line or str(SPEECH) in line for line in one.log)


def length_id(length: float) -> int:
    """Return a number for a silence."""
    return round(length * 100)


async def say_all(one: Daemon, name: str) -> None:
    """Send speech into a stream, as fast as it is taken, and finish it."""
    audio = recording("ls_7902").audio
    for at in range(0, len(audio), 4800):
        payload = np.asarray(audio[at : at + 4800], "<f4").tobytes()
        await one.say({"type": "audio", "stream": name, "bytes": len(payload)}, payload)
    await one.say({"type": "finish", "stream": name})


async def test_a_killed_worker_costs_no_request(tmp_path: Path) -> None:
    """Killed in the middle of files; all are answered, and the daemon says that it was so.

    Spec: daemon/Answers.
    """
    async with daemon(tmp_path, **LOCAL) as one:
        for name in range(4):
            await one.say({"path": str(SPEECH), "id": name, "progress": True})
        await until(lambda: any("progress" in line for line in one.lines))
        (worker,) = [
            child
            for child in psutil.Process(one.pid).children(recursive=True)
            if "livebot.stt.host.worker" in " ".join(child.cmdline())
        ]
        worker.kill()
        for name in range(4):
            assert is_right(await one.answer(name))
        await one.say({"status": 1, "id": "s"})
        await until(lambda: one.about(id="s"))
        one.hang_up()
        assert await over(one) == 0

    (status,) = one.about(id="s")
    assert (status["restart_count"], status["healthy"]) == (1, True)


async def test_stopping_in_the_middle_finishes_what_runs(tmp_path: Path) -> None:
    """All is answered, nothing is left; what a crash leaves is removed by age, later.

    Spec: daemon/End, daemon/Temporary files.
    """
    spool = tmp_path / "spool"
    settings = {**LOCAL, "LT_TEMP_DIR": str(spool)}
    async with site() as (url, asked):
        async with daemon(tmp_path, **settings) as one:
            await one.say({"audio_url": f"{url}/hangs", "id": "hangs"})
            await until(lambda: list(spool.rglob("fetched-*")))
            one.process.kill()
            await over(one)
        (left,) = spool.rglob("fetched-*")
        os.utime(left.parent, (0, 0))

        async with daemon(tmp_path, **settings) as one:
            assert not left.parent.exists()
            await one.say(*({"audio_url": f"{url}/speech", "id": n} for n in range(3)))
            await until(lambda: asked["/speech"] == 3)
            one.process.send_signal(signal.SIGTERM)
            assert await over(one) == 0

    assert all([is_right(await one.answer(name)) for name in range(3)])
    assert list(spool.iterdir()) == []


async def test_rubbish_ends_nothing(tmp_path: Path) -> None:
    """A megabyte of it, and a line of a megabyte; every line that comes back is JSON.

    Spec: daemon/Garbage.
    """
    dice = random.Random(5)
    async with daemon(tmp_path, **LOCAL) as one:
        await one.say(
            dice.randbytes(1_000_000),
            b"\n",
            b'{"audio_url": "' + b"x" * 1_000_000 + b'"}\n',
            b'{"type":"audio","stream":1,"bytes":-1}\n' + dice.randbytes(100_000) + b"\n",
            {"audio_url": "ping", "id": "alive"},
        )
        await until(lambda: one.about(status="pong"))
        one.hang_up()
        assert await over(one) == 0

    assert 1000 < sum("error" in line for line in one.lines) < 10_000
