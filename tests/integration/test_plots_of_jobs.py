"""Pictures of jobs over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livebot.api import plots
from livebot.audio.peaks import Peaks
from livebot.recordings.peaks import peaks_of
from livebot.store.records import Kind, StoredGap, StoredTranscript, TranscriptHead
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost
from tests.support.job_service import JobService, job_service
from tests.support.recorded_speech import FOLDER


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[JobService]:
    """Run a service whose recogniser does what the files say."""
    async with job_service(tmp_path, FakeHost(HostOptions(), lambda _: None)) as found:
        yield found


async def test_of_a_job_that_is_done_there_is_a_picture(service: JobService) -> None:
    """To its owner; harmless wherever it is opened. Spec: transcripts/Pictures."""
    job = await service.give(b"say Ask not", "My <talk>.wav", language="en")
    await service.done(job)

    async with service.client.get(f"/jobs/{job}/plot.svg") as answer:
        text = await answer.text()

    assert answer.status == 200
    assert answer.content_type == "image/svg+xml"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert '<title id="plot-title">My &lt;talk&gt;.wav</title>' in text
    assert ">Ask</text>" in text
    assert 'class="sound' not in text


async def test_there_is_none_of_what_is_not_done(service: JobService) -> None:
    """Nor of what is not there."""
    job = await service.give(b"wait")
    for each in (job, "0" * 32, "x"):
        await service.get(f"/jobs/{each}/plot.svg", 404)
    await service.client.post(f"/cancel/{job}")


async def test_kept_audio_is_drawn(service: JobService, monkeypatch: pytest.MonkeyPatch) -> None:
    """And left out where it takes too long, or is no sound. Spec: transcripts/Pictures."""
    job = await service.give(b"say Ask not", keep_audio="true")
    await service.done(job)
    async with asyncio.timeout(10):
        while not (pieces := await service.store.audio.of(job)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    ((_, _, _, path),) = pieces
    assert 'class="sound' not in await service.get(f"/jobs/{job}/plot.svg")
    path.write_bytes((FOLDER / "ls_7902.wav").read_bytes())
    assert 'class="sound nobody"' in await service.get(f"/jobs/{job}/plot.svg")

    reading, at_once = 0, 0

    async def slow(path: Path) -> Peaks:
        nonlocal reading, at_once
        reading += 1
        at_once = max(at_once, reading)
        try:
            await asyncio.sleep(30)
            return await peaks_of(path)
        finally:
            reading -= 1

    monkeypatch.setattr(plots, "peaks_of", slow)
    monkeypatch.setattr(plots, "SOUND_S", 0.2)
    found = await asyncio.gather(
        *(service.get(f"/jobs/{job}/plot.svg") for _ in range(3 * plots.AT_ONCE))
    )
    assert not any('class="sound' in each for each in found)
    assert at_once == plots.AT_ONCE


async def test_pictures_wait_for_each_other(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for no more than a while: captions need the processor more."""
    job = await service.give(b"say Ask not")
    await service.done(job)
    drawing, at_once = 0, 0

    async def slow(*_: object) -> str:
        nonlocal drawing, at_once
        drawing += 1
        at_once = max(at_once, drawing)
        try:
            await asyncio.sleep(30)
        finally:
            drawing -= 1
        return ""

    monkeypatch.setattr(plots, "plot_of", slow)
    monkeypatch.setattr(plots, "SOUND_S", 0.2)
    found = await asyncio.gather(
        *(service.get(f"/jobs/{job}/plot.svg", 503) for _ in range(3 * plots.AT_ONCE))
    )
    assert all("try again later" in each["error"] for each in found)
    assert at_once == plots.AT_ONCE


async def test_gaps_are_on_it() -> None:
    """Also those whose end nobody knows. Spec: transcripts/Pictures."""
    head = TranscriptHead(id="0" * 32, kind=Kind.CALL, owner="", duration=9.0)
    gaps = (
        StoredGap(cause="engine_away", start=1.0, end=2.5, lost_s=1.5),
        StoredGap(cause="network", start=4.0, end=None, lost_s=2.0),
    )
    text = await plots.plot_of(StoredTranscript(head, (), gaps))
    assert "from 0:01 to 0:02: engine away" in text
    assert "from 0:04 to 0:06: network" in text
