"""The service ends in the middle of jobs: each is done in the end, and once."""

import asyncio
import io
import sqlite3
import wave
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from livebot.audio.pcm import RATE_HZ
from tests.support.job_service import form
from tests.support.recorded_speech import recording
from tests.support.service_process import Service, ask, service
from tests.support.webhook_receiver import Receiver, receiver

pytestmark = pytest.mark.timeout(570)

WITHIN_S = 400.0
SECRET = "a secret of the receiver"
SETTINGS = {
    "LT_ENGINE": "local",
    "LT_ENGINE_WORKERS": "1",
    "LT_WEBHOOK_SECRET": SECRET,
    "LT_WEBHOOK_HOSTS": "127.0.0.1",
    "LT_KEY_REQUESTS_PER_MINUTE": "0",
}


@pytest.fixture(scope="module")
def speech() -> bytes:
    """Return a file of some fifty seconds."""
    found = io.BytesIO()
    samples = recording("two_cities").audio
    with wave.open(found, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return found.getvalue()


async def give(
    http: aiohttp.ClientSession, service: Service, data: bytes, receiving: Receiver
) -> str:
    """Give a file; return the job."""
    told = form(data, "talk.wav", webhook=receiving.url)
    status, body = await ask(http, "POST", f"{service.url}/transcribe", data=told)
    assert status == 202, body
    found: str = body["job_id"]
    return found


async def until(
    http: aiohttp.ClientSession, service: Service, jobs: Sequence[str], *states: str
) -> list[dict[str, Any]]:
    """Wait until all jobs are in one of the states."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = [await ask(http, "GET", f"{service.url}/status/{job}") for job in jobs]
            assert {status for status, _ in found} == {200}, found
            if all(body["status"] in states for _, body in found):
                return [body for _, body in found]
            await asyncio.sleep(0.2)


def attempts(data: Path) -> list[int]:
    """Return how often each job was begun, as the database knows."""
    with sqlite3.connect(data / "livebot.db") as database:
        return [
            row[0] for row in database.execute("SELECT attempts FROM jobs ORDER BY created_at")
        ]


def _check(found: Sequence[dict[str, Any]], jobs: Sequence[str], receiving: Receiver) -> None:
    assert [each["status"] for each in found] == ["completed"] * len(jobs)
    texts = {each["result"]["text"] for each in found}
    assert len(texts) == 1
    assert texts.pop().count("best of times") == 1
    assert sorted(each.body["job_id"] for each in receiving.told) == sorted(jobs)
    assert all(each.is_signed(SECRET) for each in receiving.told)


async def test_jobs_survive_a_kill(tmp_path: Path, speech: bytes) -> None:
    """Five under way are done after the restart, once each. Spec: jobs/Restarts."""
    settings = {**SETTINGS, "LT_JOBS_AT_ONCE": "5"}
    async with (
        receiver() as receiving,
        service(tmp_path, **settings) as running,
        aiohttp.ClientSession() as http,
    ):
        jobs = [await give(http, running, speech, receiving) for _ in range(5)]
        waiting = await give(http, running, speech, receiving)
        await until(http, running, jobs, "processing")
        running.kill()
        await running.gone()
        assert receiving.told == []

        await running.start()
        restarted_at = datetime.now(UTC)
        found = await until(http, running, [*jobs, waiting], "completed", "failed")
        await receiving.wait_for(6)
        await asyncio.sleep(1)

        _check(found, [*jobs, waiting], receiving)
        # As soon as the leases of the process that is gone have run out. The one that waited
        # was begun at once, so one of the five has to wait for a place.
        taken_up = sorted(datetime.fromisoformat(each["started_at"]) for each in found[:5])
        assert (taken_up[3] - restarted_at).total_seconds() < 60
        assert await asyncio.to_thread(attempts, running.data) == [2] * 5 + [1]
        assert not await asyncio.to_thread(lambda: list((running.data / "uploads").iterdir()))


async def test_jobs_are_given_back_when_the_service_stops(tmp_path: Path, speech: bytes) -> None:
    """And taken up at once by the next. Spec: jobs/Restarts."""
    async with (
        receiver() as receiving,
        service(tmp_path, **SETTINGS) as running,
        aiohttp.ClientSession() as http,
    ):
        jobs = [await give(http, running, speech, receiving) for _ in range(2)]
        await until(http, running, jobs, "processing")
        assert await running.stop() == 0

        await running.start()
        found = await until(http, running, jobs, "completed", "failed")
        await receiving.wait_for(2)

        _check(found, jobs, receiving)


async def test_two_processes_share_the_work(tmp_path: Path, speech: bytes) -> None:
    """On one database; no job is done twice, also where one of them is killed.

    Spec: jobs/Restarts.
    """
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        await asyncio.to_thread(folder.mkdir)
    settings = {**SETTINGS, "LT_JOBS_AT_ONCE": "2", "LT_DATA_DIR": str(tmp_path / "data")}
    async with (
        receiver() as receiving,
        service(folders[0], **settings) as one,
        service(folders[1], **settings) as two,
        aiohttp.ClientSession() as http,
    ):
        jobs = [await give(http, each, speech, receiving) for each in (one, two) * 3]
        await until(http, one, jobs[:4], "processing", "completed")
        two.kill()
        await two.gone()

        found = await until(http, one, jobs, "completed", "failed")
        await receiving.wait_for(6)
        await asyncio.sleep(1)

        _check(found, jobs, receiving)
        begun = await asyncio.to_thread(attempts, tmp_path / "data")
        # What the killed one had in hand, and nothing else, was begun twice.
        assert 6 < sum(begun) <= 8
        assert max(begun) == 2
