"""The ways on which speech becomes words: each takes recordings and says what was understood."""

import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain

import psutil

from livebot.audio.pcm import RATE_HZ
from livebot.stt.engine import Word
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.stt.host.worker import load
from livebot.stt.local.files import vad_file
from livebot.stt.local.offline import transcribe
from livebot.stt.local.vad import VadModel
from livebot.stt.model import RATE_HZ as MODEL_RATE_HZ
from livebot.stt.model import ModelSpec
from tests.accuracy.corpus import Entry
from tests.accuracy.times import Timed

LANGUAGE = "en"
CHUNK_S = 0.2
SPEAKERS = 4
"""People who speak at once on the live path."""
WITHIN_S = 900.0


@dataclass(frozen=True, slots=True)
class Run:
    """What a path made of all recordings.

    Attributes:
        words: By the name of the recording.
        cpu_s: Processor time of all processes.
        wall_s: Time that it took.
        memory_mb: Of the process with the model, in the end.
    """

    words: dict[str, list[Timed]]
    cpu_s: float
    wall_s: float
    memory_mb: float


async def bare(spec: ModelSpec, recordings: Sequence[Entry]) -> Run:
    """Give the model whole recordings, in a process of its own without any host."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, _bare, spec, recordings)


def _bare(spec: ModelSpec, recordings: Sequence[Entry]) -> Run:
    model, voice = load(spec), VadModel(vad_file())
    listen = partial(model.listen, language=LANGUAGE)
    started, cpu = time.perf_counter(), time.process_time()
    words = {
        one.name: _timed(transcribe(one.samples(MODEL_RATE_HZ), listen, voice.stream()))
        for one in recordings
    }
    memory = psutil.Process().memory_info().rss / 2**20
    return Run(words, time.process_time() - cpu, time.perf_counter() - started, memory)


async def files(model: str, recordings: Sequence[Entry]) -> Run:
    """Have the engine host read the files, one after the other."""
    async with _host(model) as host:
        usage = Usage(os.getpid())
        words = {}
        for one in recordings:
            found = await host.recognise(one.path, language=LANGUAGE)
            words[one.name] = _timed(chain.from_iterable(found.utterances))
        return usage.run(words)


async def live(model: str, recordings: Sequence[Entry]) -> Run:
    """Have people speak to the engine host, some at once, as fast as they do."""
    async with _host(model) as host:
        usage, turns = Usage(os.getpid()), asyncio.Semaphore(SPEAKERS)

        async def speak(one: Entry) -> list[Timed]:
            async with turns:
                return await _speak(host, one)

        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
            tasks = {one.name: group.create_task(speak(one)) for one in recordings}
        return usage.run({name: task.result() for name, task in tasks.items()})


async def _speak(host: EngineHost, recording: Entry) -> list[Timed]:
    samples, step = recording.samples(RATE_HZ), round(CHUNK_S * RATE_HZ)
    loop = asyncio.get_running_loop()
    async with host.open(language=LANGUAGE) as stream:

        async def send() -> None:
            started = loop.time()
            for n, at in enumerate(range(0, len(samples), step), 1):
                await stream.send(samples[at : at + step])
                await asyncio.sleep(max(0.0, started + n * CHUNK_S - loop.time()))
            await stream.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            events = [event async for event in stream.events()]
    return _timed(event for event in events if isinstance(event, Word))


async def daemon(model: str, recordings: Sequence[Entry]) -> Run:
    """Ask `livebot daemon` for all files at once."""
    folders = {str(one.path.parent.resolve()) for one in recordings}
    environment = os.environ | {
        "LT_ALLOWED_PATHS": ",".join(folders),
        "LT_ENGINE_WORKERS": "1",
        "LT_MODEL": model,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "livebot", "daemon"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _ask(process, recordings)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ask(process: asyncio.subprocess.Process, recordings: Sequence[Entry]) -> Run:
    assert process.stdin
    assert process.stdout
    ready = json.loads(await process.stdout.readline())
    assert ready["status"] == "ready", ready
    usage = Usage(process.pid)
    for one in recordings:
        request = {"path": str(one.path.resolve()), "id": one.name, "language": LANGUAGE}
        process.stdin.write(json.dumps(request).encode() + b"\n")
    words: dict[str, list[Timed]] = {}
    while len(words) < len(recordings):
        answer = json.loads(await process.stdout.readline())
        assert "error" not in answer, answer
        if "words" in answer:
            words[answer["id"]] = _timed(Word(**word) for word in answer["words"])
    run = usage.run(words)
    process.stdin.close()
    assert await process.wait() == 0
    return run


class Usage:
    """What the processes that another one started use from now on.

    Args:
        pid: The other one.
    """

    def __init__(self, pid: int) -> None:
        self._parent = psutil.Process(pid)
        self._started = time.perf_counter()
        self._cpu_s = self._cpu()

    def run(self, words: dict[str, list[Timed]]) -> Run:
        """Return what they made, and with how much."""
        memory = max(one.memory_info().rss for one in self._workers())
        wall_s = time.perf_counter() - self._started
        return Run(words, self._cpu() - self._cpu_s, wall_s, memory / 2**20)

    def _workers(self) -> list[psutil.Process]:
        return list(self._parent.children(recursive=True))

    def _cpu(self) -> float:
        found = [self._parent, *self._workers()]
        return float(sum(one.cpu_times().user + one.cpu_times().system for one in found))


def _host(model: str) -> EngineHost:
    return EngineHost(HostOptions(model=model, offline=True))


def _timed(words: Iterable[Word]) -> list[Timed]:
    """Return words with times; what goes on with the word before is a part of it."""
    out: list[Timed] = []
    for word in words:
        assert word.start is not None
        assert word.end is not None
        if word.joined and out:
            out[-1] = Timed(out[-1].text + word.text, out[-1].start, word.end)
        else:
            out.append(Timed(word.text, word.start, word.end))
    return out
