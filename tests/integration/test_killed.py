"""The service is killed in the middle of its work: nothing that was produced is lost.

A real process with the embedded model, five jobs under way and five people speaking live.
"""

import asyncio
import io
import sqlite3
import wave
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from livebot.audio.pcm import RATE_HZ
from tests.support.live_client import LiveClient
from tests.support.recorded_speech import recording
from tests.support.service_process import Service, ask, service
from tests.support.waiting import until
from tests.support.wer import wer

JOBS = 5
DONE_WITHIN_S = 240.0
"""Some 25 s of recognition on two cores that others use too."""

LONG = recording("two_cities")
PEOPLE = [
    ("ls_61", "libri_02_spk1188", "libri_05_spk1284"),
    ("libri_02_spk1188", "libri_01_spk1089", "ls_61"),
    ("libri_05_spk1284", "ls_61", "libri_01_spk1089"),
    ("libri_01_spk1089", "libri_05_spk1284", "libri_02_spk1188"),
    ("ls_61", "libri_05_spk1284", "libri_02_spk1188"),
]
PAUSE = np.zeros(RATE_HZ, np.float32)

pytestmark = pytest.mark.timeout(480)


def _s16(parts: list[np.ndarray[Any, np.dtype[np.float32]]]) -> bytes:
    return (np.concatenate(parts) * 32767).astype("<i2").tobytes()


def _spoken(names: tuple[str, ...]) -> tuple[bytes, str]:
    """Return what somebody says, with pauses, and its text."""
    parts = [part for name in names for part in (recording(name).audio, PAUSE)]
    return _s16(parts), " ".join(recording(name).text for name in names)


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(_s16([LONG.audio]))
    return file.getvalue()


async def _submit(http: aiohttp.ClientSession, base: str, file: bytes) -> str:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(file), filename="two cities.wav")
    status, body = await ask(http, "POST", f"{base}/transcribe", data=form)
    assert status == 202, body
    return str(body["job_id"])


async def _jobs(http: aiohttp.ClientSession, base: str) -> list[dict[str, Any]]:
    _, body = await ask(http, "GET", f"{base}/jobs")
    found: list[dict[str, Any]] = body["jobs"]
    return found


async def _until_under_way(http: aiohttp.ClientSession, base: str) -> None:
    """Wait until all jobs run and some have got somewhere."""
    async with asyncio.timeout(DONE_WITHIN_S):
        while True:
            found = await _jobs(http, base)
            assert not [job for job in found if job["status"] == "completed"], "it was too fast"
            if all(j["status"] == "processing" for j in found) and any(
                j["heard_s"] for j in found
            ):
                return
            await asyncio.sleep(0.05)


async def _until_done(http: aiohttp.ClientSession, base: str) -> None:
    async with asyncio.timeout(DONE_WITHIN_S):
        while True:
            if {job["status"] for job in await _jobs(http, base)} == {"completed"}:
                return
            await asyncio.sleep(0.5)


def _kept(folder: Path) -> dict[str, Any]:
    """Return what the database says of jobs and their transcripts."""
    with closing(sqlite3.connect(folder / "livebot.db")) as database:
        rows = database.execute(
            "SELECT id, attempts, (SELECT count(*) FROM transcripts t WHERE t.id = jobs.id)"
            " FROM jobs"
        ).fetchall()
        transcripts = database.execute("SELECT count(*) FROM transcripts").fetchone()[0]
    return {
        "attempts": [attempts for _, attempts, _ in rows],
        "of each": [count for *_, count in rows],
        "transcripts": transcripts,
    }


async def _killed(
    running: Service, http: aiohttp.ClientSession, clients: list[LiveClient]
) -> None:
    """Kill it once all jobs are under way and everybody was told something, and start it again."""
    await _until_under_way(http, running.url)
    await until(lambda: all(client.events for client in clients), deadline_s=60)
    running.kill()
    await running.gone()
    await running.start()


async def test_jobs_and_live_sessions_go_on_after_a_kill(tmp_path: Path) -> None:
    """Jobs complete once each; clients have every event and every word.

    Spec: jobs/Restarts, live-sessions/Restart.
    """
    said = [_spoken(names) for names in PEOPLE]
    file = await asyncio.to_thread(_wav)
    settings = {"LT_JOBS_AT_ONCE": str(JOBS), "PORT": "0"}
    async with (
        service(tmp_path, **settings) as running,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as group,
    ):
        running.settings = {**settings, "PORT": str(running.port)}
        clients = [LiveClient(running.url, audio, rate_hz=RATE_HZ) for audio, _ in said]
        speaking = [group.create_task(client.run()) for client in clients]
        await asyncio.sleep(3)
        ids = {await _submit(http, running.url, file) for _ in range(JOBS)}

        await _killed(running, http, clients)
        await asyncio.wait(speaking)
        await _until_done(http, running.url)

        assert {job["job_id"] for job in await _jobs(http, running.url)} == ids
        for job in ids:
            _, body = await ask(http, "GET", f"{running.url}/status/{job}")
            heard = wer(LONG.text, body["result"]["text"])
            assert heard.rate < 0.2, heard
        kept = await asyncio.to_thread(_kept, running.data)
        assert kept == {"attempts": [2] * JOBS, "of each": [1] * JOBS, "transcripts": JOBS}
        assert not list((running.data / "uploads").glob("*")), "uploads are left"
    for client, (_, text) in zip(clients, said, strict=True):
        assert client.resumed == 1
        assert client.snapshots == []
        assert client.missing == []
        assert client.gaps == []
        heard = wer(text, client.text)
        assert heard.rate < 0.2, heard
