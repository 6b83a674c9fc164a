"""The real recogniser behind `livebot stt-server`: through the wire it hears the same words."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from livebot import demo
from livebot.audio.pcm import RATE_HZ, Samples, from_s16_mono
from livebot.audio.resample import Resampler
from livebot.stt import registry, server
from livebot.stt.engine import SttEngine
from livebot.stt.engines import kyutai
from livebot.stt.engines.kyutai import KyutaiEngine
from tests.support.engine_contract import converse, words
from tests.support.wer import normalized, wer

SPEECH = Path(demo.__file__).parent / "speech"

pytestmark = pytest.mark.timeout(120)


def read(name: str) -> Samples:
    """Read a recording at the rate of the engines."""
    with wave.open(str(SPEECH / f"{name}.wav")) as file:
        samples = from_s16_mono(np.frombuffer(file.readframes(file.getnframes()), np.int16))
        resampler = Resampler(file.getframerate(), RATE_HZ)
    return np.concatenate([resampler.push(samples), resampler.flush()])


@pytest.fixture
def unstarted() -> SttEngine:
    """Load the embedded engine before the loop runs: looking for it reads the disk."""
    return registry.load("local", {"workers": "1"})


@pytest.fixture
async def local(unstarted: SttEngine) -> AsyncIterator[SttEngine]:
    """Give the embedded engine with one worker."""
    async with unstarted as engine:
        yield engine


@pytest.fixture
def audio() -> Samples:
    """Give a speech that breaks off with its last word: no silence of its own helps."""
    return read("jfk")[: int(10.6 * RATE_HZ)]


@pytest.mark.parametrize("dialect", ["rust", "python"])
async def test_words_through_the_wire_are_the_engines_own(
    local: SttEngine, audio: Samples, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, the last included, which only the silence of the flush brings out."""
    # The recording is sent at once, and a busy machine takes its time with eleven seconds.
    monkeypatch.setattr(kyutai, "FIRST_WORD_S", 20.0)
    monkeypatch.setattr(kyutai, "NEXT_WORD_S", 3.0)
    monkeypatch.setattr(kyutai, "FINISH_WITHIN_S", 30.0)

    direct = words(await converse(local, audio))
    async with (
        server.serve(local, dialect=dialect) as port,
        KyutaiEngine({"url": f"ws://127.0.0.1:{port}/v1/stream"}) as engine,
    ):
        remote = words(await converse(engine, audio))

    # Which words are settled when depends on how busy the machine is, so one may differ.
    difference = wer(" ".join(direct), " ".join(remote))
    assert difference.rate <= 0.05, difference
    assert normalized(remote[-1]) == normalized(direct[-1])
