"""The engine host for real: workers, models, files and streams at the same time."""

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.errors import EngineBusyError, EngineError, RecordingError
from livebot.stt.engine import Word
from livebot.stt.host import host as host_module
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.stt.host.reading import Recognition
from livebot.stt.local.files import model_folder
from tests.support.engine_contract import talk, words
from tests.support.recorded_speech import recording
from tests.support.wer import wer

pytestmark = pytest.mark.timeout(180)

NAMES = ("ls_61", "libri_02_spk1188", "ls_6930")


def write(path: Path, *pieces: Samples) -> Path:
    """Write a recording."""
    samples = (np.concatenate(pieces).clip(-1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="session")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of some minutes, by three people in turn."""
    pieces = [p for name in NAMES * 4 for p in (recording(name).audio, silence(RATE_HZ))]
    return write(tmp_path_factory.mktemp("audio") / "long.wav", *pieces)


@pytest.fixture(scope="session")
def short_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return one recording of each."""
    folder = tmp_path_factory.mktemp("audio")
    return [write(folder / f"{name}.wav", recording(name).audio) for name in NAMES]


@pytest.fixture
async def host() -> AsyncIterator[EngineHost]:
    """Give a host with one worker."""
    async with EngineHost(HostOptions(workers=1)) as started:
        yield started


def workers() -> list[psutil.Process]:
    """Return the worker processes of this process."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


def text(found: Recognition) -> list[str]:
    """Return the words."""
    return [word.text for utterance in found.utterances for word in utterance]


async def test_files_and_people_at_the_same_time(
    host: EngineHost, short_files: list[Path]
) -> None:
    """Each gets its own words: files as good as somebody who speaks the same."""
    async with asyncio.TaskGroup() as group:
        files = [group.create_task(host.recognise(path)) for path in short_files * 3]
        async with host.open(language="en") as stream:
            spoken = words(await talk(stream, recording("ls_61").audio))

    for task, name in zip(files, NAMES * 3, strict=True):
        found = task.result()
        assert wer(recording(name).text, " ".join(text(found))).rate < 0.15
        assert (found.language, found.model) == ("en", "moonshine-tiny-en")
        assert found.duration_s == pytest.approx(len(recording(name).audio) / RATE_HZ, abs=0.1)
    assert wer(recording("ls_61").text, " ".join(spoken)).rate < 0.15
    status = host.status()
    assert (status.running, status.healthy, status.restart_count) == (True, True, 0)
    assert (status.waiting, status.working) == (0, 0)


async def test_a_worker_killed_in_the_middle_of_a_file(host: EngineHost, long_file: Path) -> None:
    """Another goes on where it was: the words are those of a worker that lived."""
    expected = await host.recognise(long_file)
    (worker,) = workers()
    heard: list[float] = []

    def kill_in_the_middle(heard_s: float) -> None:
        if heard_s > 15 >= max(heard, default=0.0):
            os.kill(worker.pid, signal.SIGKILL)
        heard.append(heard_s)

    found = await host.recognise(
        long_file, on_progress=lambda progress: kill_in_the_middle(progress.heard_s)
    )

    assert text(found) == text(expected)
    assert heard == sorted(heard)
    assert workers()[0].pid != worker.pid
    assert host.status().restart_count == 1
    times = [t for u in found.utterances for word in u for t in (word.start, word.end)]
    assert times == sorted(t for t in times if t is not None)


async def test_a_file_that_is_cancelled_is_forgotten(
    host: EngineHost, long_file: Path, short_files: list[Path]
) -> None:
    """The worker has nothing to do with it any more, and takes the next one."""
    started = asyncio.Event()
    task = asyncio.create_task(host.recognise(long_file, on_progress=lambda _: started.set()))
    await started.wait()
    assert host.status().working == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    assert host.status().working == 0
    async with asyncio.timeout(60):
        assert text(await host.recognise(short_files[0]))


async def test_too_many_files_wait_no_longer(
    long_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is bounded, and who does not fit hears so at once."""
    monkeypatch.setattr(host_module, "FILES_PER_WORKER", 1)
    async with EngineHost(HostOptions(workers=1, queue=1)) as host:
        tasks = [asyncio.create_task(host.recognise(long_file)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert (host.status().working, host.status().waiting) == (1, 1)
        with pytest.raises(EngineBusyError):
            await host.recognise(long_file)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (host.status().working, host.status().waiting) == (0, 0)


async def test_faults_of_one_file_are_its_own(
    host: EngineHost, tmp_path: Path, short_files: list[Path]
) -> None:
    """Its reader is told; the others get their words."""
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no sound at all")
    unnamed = tmp_path / os.fsdecode(b"\xff.wav")
    asked = [broken, tmp_path / "missing.wav", tmp_path, unnamed, short_files[0]]
    found = await asyncio.gather(*map(host.recognise, asked), return_exceptions=True)

    assert [type(each) for each in found] == [RecordingError] * 4 + [Recognition]
    assert host.status().restart_count == 0


async def test_languages_that_the_model_does_not_know(
    host: EngineHost, short_files: list[Path]
) -> None:
    """They are refused with those that it knows; `auto` is English here, and is told so."""
    with pytest.raises(EngineError, match="understands en") as refused:
        await host.recognise(short_files[0], language="fr")
    assert not refused.value.retryable

    found = await host.recognise(short_files[0], language="auto")
    assert (found.language, found.probability) == ("en", 1.0)
    assert (await host.recognise(short_files[0], language="en-GB")).probability is None

    with pytest.raises(EngineError, match="cannot translate"):
        await host.recognise(short_files[0], translate=True)


async def test_silence_has_no_words(host: EngineHost, tmp_path: Path) -> None:
    """And ends in a result."""
    found = await host.recognise(write(tmp_path / "silence.wav", silence(5 * RATE_HZ)))

    assert found.utterances == ()
    assert found.duration_s == pytest.approx(5, abs=0.05)
    assert found.language == ""


@pytest.fixture(scope="session")
def folder() -> str:
    """Return the packaged model's folder, which is a name too."""
    return str(model_folder())


async def test_another_model_comes_and_goes(short_files: list[Path], folder: str) -> None:
    """It is loaded when it is asked for, and unloaded when nobody has for a while."""
    async with EngineHost(HostOptions(workers=1, idle_s=0.3)) as host:
        found = await host.recognise(short_files[0], model=folder)
        assert text(found)
        assert set(host.status().models) == {"moonshine-tiny-en", folder}
        assert len(workers()) == 2
        async with asyncio.timeout(20):
            while len(workers()) > 1:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert host.status().models == ("moonshine-tiny-en",)
        assert text(await host.recognise(short_files[0]))

    assert workers() == []


async def test_a_model_that_cannot_be_had_harms_nobody(
    host: EngineHost, short_files: list[Path]
) -> None:
    """Who asks for it is told what to do; who asks for another gets it."""
    asked = [
        host.recognise(short_files[0], model="no-such-model"),
        host.recognise(short_files[0], model="no-such-model"),
        host.recognise(short_files[0]),
    ]
    first, second, third = await asyncio.gather(*asked, return_exceptions=True)

    assert isinstance(first, EngineError)
    assert "no-such-model" in str(first)
    assert isinstance(second, EngineError)
    assert isinstance(third, Recognition)


async def test_a_worker_stays_on_its_cores() -> None:
    """So that it leaves the others to whoever else is on the machine."""
    allowed = os.sched_getaffinity(0)
    async with EngineHost(HostOptions(workers=1, cpu_limit=1)):
        (worker,) = workers()
        assert len(os.sched_getaffinity(worker.pid)) == 1
        assert os.sched_getaffinity(worker.pid) <= allowed


async def test_word_times_grow(host: EngineHost, short_files: list[Path]) -> None:
    """No word ends before it begins, or begins before the one before it ends."""
    found = await host.recognise(short_files[1])
    spoken: list[Word] = [word for utterance in found.utterances for word in utterance]

    times = [t for word in spoken for t in (word.start, word.end)]
    assert all(t is not None for t in times)
    assert times == sorted(t for t in times if t is not None)
    assert times[-1] is not None
    assert times[-1] <= found.duration_s + 0.1
