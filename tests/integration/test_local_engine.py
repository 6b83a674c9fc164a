"""The embedded engine for real: its model, its worker processes, real speech."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.errors import EngineError
from livebot.stt.engine import Pause, SttEvent, SttStream, Word
from livebot.stt.engines.local import LocalEngine
from livebot.stt.host import pool, process
from livebot.stt.host.order import DEFAULT_MEMORY
from livebot.stt.host.pool import WorkerPool
from tests.support.engine_contract import EngineContract, Speech, converse, listen, talk, words
from tests.support.recorded_speech import recording
from tests.support.wer import wer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    """Give the engine with one worker."""
    async with LocalEngine({"workers": "1"}) as started:
        yield started


def workers() -> list[psutil.Process]:
    """Return the worker processes of this process."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


class TestContract(EngineContract):
    """What every engine must do."""

    finish_within_s = 60.0

    @pytest.fixture
    async def dead_engine(self) -> LocalEngine:
        """Give an engine whose model is missing."""
        return LocalEngine({"model_dir": "/nowhere"})

    @pytest.fixture
    async def speech(self) -> Speech:
        """Give four seconds of reading."""
        text = (
            "He began a confused complaint against the wizard, who had vanished behind "
            "the curtain on the left."
        )
        return Speech(recording("ls_61").audio, text.split())

    @pytest.fixture
    async def other_speech(self) -> Speech:
        """Give somebody else."""
        text = "Concord returned to its place amidst the tents,"
        return Speech(recording("ls_6930").audio, text.split())


@pytest.mark.parametrize("name", ["jfk", "libri_02_spk1188"])
async def test_the_words_are_those_of_the_recording(engine: LocalEngine, name: str) -> None:
    """With at most one word wrong, times inside the recording, and a pause at the end."""
    spoken = recording(name)

    events = await converse(engine, spoken.audio)

    heard = [event for event in events if isinstance(event, Word)]
    assert wer(spoken.text, " ".join(word.text for word in heard)).wrong <= 1
    assert events[-1] == Pause()
    ends = [word.end for word in heard if word.end is not None]
    assert len(ends) == len(heard)
    assert ends == sorted(ends)
    assert ends[-1] <= len(spoken.audio) / RATE_HZ + 0.1


@pytest.mark.parametrize("language", ["fr", "auto"])
async def test_it_understands_english_only(engine: LocalEngine, language: str) -> None:
    """And cannot tell whether it is English."""
    assert set(engine.capabilities.languages) == {"en"}
    with pytest.raises(EngineError, match="English only"):
        async with engine.open(language=language):
            pytest.fail("it understands something else")


async def test_words_appear_while_the_speaker_goes_on(engine: LocalEngine) -> None:
    """Words come before the utterance ends."""
    audio = recording("ls_61").audio

    async with engine.open(language="en") as stream:
        for start in range(0, 4 * RATE_HZ, RATE_HZ // 2):
            await stream.send(audio[start : start + RATE_HZ // 2])
            await asyncio.sleep(0.5)  # as it is spoken
        # No pause was sent, so only agreement of passes can have made words of it.
        async with asyncio.timeout(20):
            heard = [event async for event in _until_a_word(stream)]

    assert isinstance(heard[-1], Word)
    assert Pause() not in heard


async def _until_a_word(stream: SttStream) -> AsyncIterator[SttEvent]:
    async for event in stream.events():
        yield event
        if isinstance(event, Word):
            return


async def test_a_killed_worker_fails_its_streams_and_is_replaced(engine: LocalEngine) -> None:
    """Who was on it hears a retryable error at once; the next one is served by its successor."""
    (worker,) = workers()

    async with engine.open(language="en") as stream, asyncio.timeout(10):
        await stream.send(recording("ls_6930").audio[:RATE_HZ])
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(EngineError) as lost:
            await listen(stream)
    assert lost.value.retryable

    async with asyncio.timeout(30):
        assert await converse(engine, recording("ls_6930").audio)
    (successor,) = workers()
    assert successor.pid != worker.pid


async def test_a_worker_that_hangs_is_replaced(engine: LocalEngine) -> None:
    """Its streams hear of it although it neither speaks nor ends. Spec: engines/Worker faults."""
    (worker,) = workers()

    async with engine.open(language="en") as stream, asyncio.timeout(2 * process.SILENT_S + 20):
        worker.suspend()
        await stream.send(silence(RATE_HZ))
        with pytest.raises(EngineError, match="hangs") as lost:
            await listen(stream)
    assert lost.value.retryable

    async with asyncio.timeout(30):
        assert await converse(engine, recording("ls_6930").audio)
    assert not worker.is_running()


async def test_a_worker_that_takes_too_much_memory_is_replaced(engine: LocalEngine) -> None:
    """It has a bound; at it, its streams fail and the next ones are served by another.

    Spec: engines/Worker faults.
    """
    (worker,) = workers()
    assert worker.rlimit(psutil.RLIMIT_DATA) == (DEFAULT_MEMORY, DEFAULT_MEMORY)

    async with engine.open(language="en") as stream, asyncio.timeout(20):
        # As if it had taken all: the next thing it needs is not to be had.
        worker.rlimit(psutil.RLIMIT_DATA, (1 << 20, 1 << 20))
        with pytest.raises(EngineError):
            await talk(stream, np.tile(recording("ls_61").audio, 4))

    async with asyncio.timeout(30):
        assert await converse(engine, recording("ls_6930").audio)


async def test_workers_that_die_and_die_are_given_a_rest_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After too many deaths in a row opening fails at once, with the reason; later it works.

    Spec: engines/Worker faults.
    """
    monkeypatch.setattr(pool, "REST_S", 2.0)
    async with LocalEngine({"workers": "1", "max_restarts": "1"}) as engine:
        await _die_and_die(engine)


async def _die_and_die(engine: LocalEngine) -> None:
    for _ in range(2):
        async with asyncio.timeout(20), engine.open(language="en") as stream:
            assert engine.troubles() == []
            (worker,) = workers()
            worker.kill()
            with pytest.raises(EngineError):
                await listen(stream)

    with pytest.raises(EngineError, match="workers are away") as caught:
        async with asyncio.timeout(1), engine.open(language="en"):
            pytest.fail("there is no worker")
    assert caught.value.retryable
    assert engine.troubles() == [
        "1 of 1 recognition workers are away: the recognition worker ended"
    ]

    await asyncio.sleep(2.0)
    async with asyncio.timeout(20):
        while engine.troubles():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        assert await converse(engine, recording("ls_6930").audio)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_to_all_processes_costs_no_words(
    engine: LocalEngine, number: signal.Signals
) -> None:
    """A service manager stops every process at once; only the parent decides when we end."""
    (worker,) = workers()
    spoken = recording("ls_6930").audio

    async with engine.open(language="en") as stream, asyncio.timeout(10):
        await stream.send(spoken)
        os.kill(worker.pid, number)
        await stream.finish()

        assert words(await listen(stream)) == words(await converse(engine, spoken))


async def test_sending_to_a_dead_worker_is_an_error(engine: LocalEngine) -> None:
    """Nobody sends into the void."""
    (worker,) = workers()

    async with engine.open(language="en") as stream:
        worker.kill()
        with pytest.raises(EngineError):
            await asyncio.wait_for(_send_for_ever(stream, silence(RATE_HZ)), 10)


async def _send_for_ever(stream: SttStream, chunk: Samples) -> None:
    while True:
        await stream.send(chunk)
        await asyncio.sleep(0.01)


async def test_a_worker_that_takes_no_audio_makes_the_sender_wait(engine: LocalEngine) -> None:
    """What is under way to a stopped worker is bounded."""
    (worker,) = workers()

    async with engine.open(language="en") as stream:
        worker.suspend()
        try:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stream.send(silence(20 * RATE_HZ)), 1)
        finally:
            worker.resume()


async def test_nothing_is_left_and_no_model_is_loaded_here() -> None:
    """Leaving the engine ends its processes, and onnxruntime was only ever in them."""
    async with LocalEngine({"workers": "2"}):
        assert len(workers()) == 2

    assert workers() == []
    assert "onnxruntime" not in sys.modules


async def test_a_worker_that_does_not_listen_is_killed() -> None:
    """Stopping takes two seconds at most, even if a worker hangs."""
    async with asyncio.timeout(60), LocalEngine({"workers": "1"}):
        (worker,) = workers()
        worker.suspend()

    assert workers() == []


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 20, 100])
async def test_starting_can_be_cancelled(turns: int) -> None:
    """Wherever starting is cancelled, no process and no task is left."""

    async def start() -> None:
        async with LocalEngine({"workers": "1"}):
            pass

    starting = asyncio.ensure_future(start())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    assert starting.cancelled()
    assert workers() == []


async def test_a_missing_model_is_told_with_its_cure() -> None:
    """The text says what is missing and what to do; trying again would not help."""
    with pytest.raises(EngineError, match=r"LT_MODEL_DIR.*encoder_model\.ort") as missing:
        async with LocalEngine({"model_dir": "/nowhere", "workers": "2"}):
            pass

    assert not missing.value.retryable
    assert workers() == []


async def test_a_worker_ends_with_its_input() -> None:
    """So none outlives a parent that was killed."""
    program = [sys.executable, "-m", "livebot.stt.host.worker"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    process.stdin.close()

    async with asyncio.timeout(30):
        out, _ = await process.communicate()

    assert out.startswith(b'{"type":"ready"')
    assert process.returncode == 0


async def test_streams_go_to_the_least_loaded_worker() -> None:
    """Two streams are on two workers, and a third joins one of them."""
    async with WorkerPool(workers=2) as pool, pool.open(), pool.open():
        assert sorted(pool.loads) == [1, 1]
        async with pool.open():
            assert sorted(pool.loads) == [1, 2]
