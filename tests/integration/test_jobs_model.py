"""Jobs with the embedded model: recordings of people in, what they say out."""

import asyncio
import io
import re
import wave
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pysubs2
import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.metrics import Metrics
from livebot.stt.engines.local import LocalEngine
from livebot.stt.failover import Failover
from livebot.stt.host.host import EngineHost
from livebot.transcripts.export import FORMATS
from tests.support import flac_silence
from tests.support.job_service import JobService, events_of, job_service
from tests.support.recorded_speech import FOLDER, recording
from tests.support.scripted_engine import ScriptedEngine
from tests.support.sound_files import BROKEN
from tests.support.wer import wer

pytestmark = pytest.mark.timeout(300)

PROGRAMME = (
    ("two_cities", 1.0, 6.0),
    ("jfk", 0.2, 5.0),
    ("two_cities", 6.5, 11.5),
    ("jfk", 5, 10.6),
)
"""Who, and from when to when of the recording."""


def wav(samples: Samples) -> bytes:
    """Return a WAV file."""
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return found.getvalue()


@pytest.fixture(scope="module")
def jfk() -> tuple[bytes, str]:
    """Return a file and what is said in it."""
    return (FOLDER / "jfk.wav").read_bytes(), recording("jfk").text


@pytest.fixture(scope="module")
def long() -> bytes:
    """Return a file that takes a while."""
    return wav(np.tile(recording("two_cities").audio, 7))


@pytest.fixture(scope="module")
def talk() -> bytes:
    """Return twenty seconds in which two people take turns, with a pause after each."""
    parts = [
        part
        for name, start, end in PROGRAMME
        for part in (
            recording(name).audio[int(start * RATE_HZ) : int(end * RATE_HZ)],
            silence(RATE_HZ // 2),
        )
    ]
    return wav(np.concatenate(parts))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[JobService]:
    """Run a service with a host of its own, as where nobody hosts models for live captions."""
    async with job_service(tmp_path, engine_workers=1, upload_max_hours=0.1) as found:
        yield found
        assert found.left() == []


async def test_a_recording_in_every_form(service: JobService, jfk: tuple[bytes, str]) -> None:
    """Words, their times, and the same text everywhere. Spec: jobs/Results."""
    data, said = jfk
    job = await service.give(data, "jfk.wav", language="en")

    found = await service.done(job)

    assert found["status"] == "completed", found
    text = found["result"]["text"]
    assert wer(said, text).rate < 0.1
    assert 10.5 < found["result"]["duration"] < 11.5
    assert (found["heard_s"], found["total_s"]) == (found["result"]["duration"],) * 2
    assert found["result"]["model"] == "moonshine-tiny-en"
    for form in FORMATS:
        result = await service.get(f"/jobs/{job}/result?format={form}")
        if form == "json":
            assert result["text"] == text
        elif form in {"srt", "vtt"}:
            cues = pysubs2.SSAFile.from_string(result, format_=form)
            shown = " ".join(cue.plaintext for cue in cues)
            assert shown.split() == text.split()
            assert all(a.start < a.end <= b.start for a, b in pairwise(cues))
        else:
            assert "country" in result
    assert (await service.get("/health"))["models"] == ["moonshine-tiny-en"]


async def test_who_speaks_is_told(service: JobService, talk: bytes) -> None:
    """Where that was asked. Spec: jobs/Results."""
    job = await service.give(talk, diarize="true", speakers="2")

    found = await service.done(job)

    assert found["status"] == "completed", found
    assert found["diarize"] is True
    turns = [segment["speaker"] for segment in found["result"]["segments"]]
    parted = [name for at, name in enumerate(turns) if not at or turns[at - 1] != name]
    assert parted == ["SPEAKER_1", "SPEAKER_2", "SPEAKER_1", "SPEAKER_2"]
    assert "<v SPEAKER_2>" in await service.get(f"/jobs/{job}/result?format=vtt")


async def test_progress_grows_and_a_cancel_ends_the_work(
    service: JobService, long: bytes, jfk: tuple[bytes, str]
) -> None:
    """Within about a second; the worker is there for the next.

    Spec: jobs/Cancel, jobs/Progress as it happens.
    """
    job = await service.give(long, language="en")
    watching = asyncio.create_task(events_of(service.client, f"/jobs/{job}/events"))
    while (await service.until(job, "processing"))["heard_s"] < 20:  # noqa: ASYNC110
        await asyncio.sleep(0.05)

    async with service.client.post(f"/cancel/{job}") as answer:
        assert (await answer.json())["status"] == "canceled"

    told = await watching
    heard = [body["heard_s"] for name, body in told if name == "progress"]
    assert heard == sorted(heard)
    assert len(heard) > 2
    assert 0 < max(body["percent"] or 0 for _, body in told) < 100
    assert told[-1][1]["state"] == "canceled"
    assert service.left() == []
    assert (await service.done(await service.give(jfk[0])))["status"] == "completed"


NO_UPLOADS = {"missing", "directory", "pipe", "device", "no-permission", "link-to-itself"}


async def test_broken_recordings_are_told(service: JobService, tmp_path: Path) -> None:
    """As the command tells them; what can be understood is. Spec: jobs/How a job is."""
    jobs: dict[str, str] = {}
    for name in sorted({each for each in BROKEN if BROKEN[each].error} - NO_UPLOADS):
        folder = tmp_path / "broken" / name
        await asyncio.to_thread(folder.mkdir, parents=True)
        path = await asyncio.to_thread(BROKEN[name].make, folder)
        data = await asyncio.to_thread(path.read_bytes)
        if data:
            jobs[name] = await service.give(data, path.name)
    jobs["mp3-truncated"] = await service.give(
        await asyncio.to_thread(BROKEN["mp3-truncated"].make(tmp_path).read_bytes), "half.mp3"
    )

    found = {name: await service.done(job) for name, job in jobs.items()}

    half = found.pop("mp3-truncated")
    assert half["status"] == "completed", half
    assert half["result"]["text"]
    for name, status in found.items():
        assert status["status"] == "failed", name
        assert re.search(BROKEN[name].error, status["error"]), (name, status["error"])
        assert str(tmp_path) not in status["error"]


@pytest.mark.parametrize("says_h", [None, 0.0, 0.01])
async def test_hours_of_silence_end_early(
    service: JobService, jfk: tuple[bytes, str], says_h: float | None
) -> None:
    """A few bytes of file, hundreds of hours of sound. Spec: jobs/Uploads that go wrong."""
    data = await asyncio.to_thread(flac_silence.silence, 200, says_h=says_h)
    assert len(data) < 2_000_000
    files = _size(service.folder)
    job = await service.give(data, "bomb.flac")

    found = await service.done(job)

    assert (found["status"], "result" in found) == ("failed", False)
    assert "longer than 0.1 hours: LT_UPLOAD_MAX_HOURS" in found["error"]
    assert found["heard_s"] < 3600
    assert _size(service.folder) < files + 1_000_000
    assert service.left() == []
    assert (await service.done(await service.give(jfk[0])))["status"] == "completed"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def test_a_model_that_cannot_be_had_fails_one_job(
    tmp_path: Path, jfk: tuple[bytes, str]
) -> None:
    """Its text says what to do; others are done. Spec: jobs/How a job is."""
    given: dict[str, Any] = {"engine_workers": 1, "offline": True, "model_cache": tmp_path / "no"}
    async with job_service(tmp_path, **given) as service:
        job = await service.give(jfk[0], model="large-v3")
        found = await service.done(job)

        assert found["status"] == "failed"
        assert "large-v3" in found["error"]
        assert (await service.done(await service.give(jfk[0])))["status"] == "completed"


async def test_jobs_use_the_workers_of_live_captions(
    tmp_path: Path, jfk: tuple[bytes, str]
) -> None:
    """Where there are any: no model is loaded twice, and streams go on."""
    metrics = Metrics()
    options = {"workers": "1"}
    async with Failover(
        {"echo": ScriptedEngine(), "local": LocalEngine(options)}, metrics
    ) as engine:
        shared = engine.host
        assert isinstance(shared, EngineHost)
        async with job_service(tmp_path, shared) as service:
            found = await service.done(await service.give(jfk[0]))
            models = (await service.get("/health"))["models"]
        workers = [
            child
            for child in psutil.Process().children(recursive=True)
            if "livebot.stt.host" in " ".join(child.cmdline())
        ]

        assert found["status"] == "completed"
        assert models == ["moonshine-tiny-en"]
        assert len(workers) == 1
        assert shared.status().healthy
    assert engine.host is None
    async with Failover({"echo": ScriptedEngine()}, metrics) as engine:
        assert engine.host is None
