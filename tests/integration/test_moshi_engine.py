"""The engine `moshi` against a double of moshi-server, faults included."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import ormsgpack
import pytest

from livebot.audio.pcm import RATE_HZ, silence
from livebot.errors import ConfigError, EngineBusyError, EngineError
from livebot.stt.engine import Pause, SttEngine, SttEvent, Word
from livebot.stt.engines import moshi
from livebot.stt.engines.moshi import MoshiEngine
from tests.support.engine_contract import converse, listen, talk, words
from tests.support.moshi_double import MoshiDouble
from tests.support.tone_contract import ToneContract
from tests.support.tone_model import BURST, FRAME, FRAME_S, GAP, said, speech

LEAD_S = 2 * FRAME_S


class TestContract(ToneContract):
    """The contract, with a server that batches and one that does not."""

    @pytest.fixture(params=[True, False])
    async def engine(self, request: pytest.FixtureRequest) -> AsyncIterator[SttEngine]:
        """Give an engine at a double."""
        async with (
            MoshiDouble(batched=request.param).serve() as double,
            MoshiEngine({"url": double.url, "ready_ms": "100"}) as engine,
        ):
            yield engine

    @pytest.fixture
    async def dead_engine(self) -> AsyncIterator[SttEngine]:
        """Give an engine where nobody listens."""
        async with MoshiEngine({"url": "ws://127.0.0.1:9", "cold_start_s": "0.5"}) as engine:
            yield engine


async def test_words_carry_their_start() -> None:
    """The start is the server's, in seconds of the stream."""
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        events = await converse(engine, speech(3))

    starts = [event.start for event in events if isinstance(event, Word)]
    step_s = (BURST + GAP) * FRAME_S
    assert starts == pytest.approx([LEAD_S, LEAD_S + step_s, LEAD_S + 2 * step_s])


async def test_pause_comes_once_and_after_its_words() -> None:
    """Words, silence, words, silence: a pause for each silence, none before the words' end."""
    quiet = silence(3 * RATE_HZ)
    audio = np.concatenate([speech(2), quiet, speech(1), quiet])
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        events = await converse(engine, audio)

    kinds = [type(event) for event in events]
    assert kinds == [Word, Word, Pause, Word, Pause]


async def test_the_language_need_not_be_told() -> None:
    """The model hears which one it is; the protocol has no word for it."""
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        assert list(engine.capabilities.languages) == ["en", "fr", "auto"]
        assert engine.capabilities.hears_language
        async with engine.open(language="auto") as stream:
            assert words(await talk(stream, speech(3))) == said(3)


async def test_silence_is_no_pause() -> None:
    """Where nothing was said, nothing has ended."""
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        assert await converse(engine, silence(5 * RATE_HZ)) == []


async def test_model_without_heads_tells_no_pauses() -> None:
    """The larger model sends no steps; its words come all the same."""
    double = MoshiDouble(heads=False, delay=32)
    async with double.serve(), MoshiEngine({"url": double.url, "delay_ms": "2500"}) as engine:
        events = await converse(engine, speech(4))

    assert words(events) == said(4)
    assert Pause() not in events


async def test_marker_ends_the_stream_at_once() -> None:
    """Finishing takes as long as the server needs, not as long as we would wait."""
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        began = time.monotonic()
        assert words(await converse(engine, speech(4))) == said(4)
        assert time.monotonic() - began < 8

    assert double.received == ["Marker"]
    assert double.markers == 1


async def test_server_that_closes_after_its_marker_is_no_fault() -> None:
    """One of the server's modules closes the channel by itself."""
    double = MoshiDouble(close_after_marker=True)
    async with double.serve(), MoshiEngine({"url": double.url}) as engine:
        assert words(await converse(engine, speech(4))) == said(4)


async def _finish_unheard(double: MoshiDouble) -> list[SttEvent]:
    """End a stream while somebody listens already; return what was heard."""
    async with (
        double.serve(),
        MoshiEngine({"url": double.url, "ready_ms": "100"}) as engine,
        asyncio.timeout(3),
        engine.open(language="en") as stream,
    ):
        listening = asyncio.ensure_future(listen(stream))
        await asyncio.sleep(0.1)
        await stream.finish()
        return await listening


async def test_marker_that_never_comes_is_a_lost_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stuck model does not hold the speaker for ever, and its silence is no end in order.

    Spec: engines/Endpoints that hang.
    """
    monkeypatch.setattr(moshi, "FINISH_WITHIN_S", 0.3)

    with pytest.raises(EngineError, match="end of the audio"):
        await _finish_unheard(MoshiDouble(deaf=True))


async def test_marker_of_a_server_that_has_none_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that does not batch may not know markers: its stream ends after a while."""
    monkeypatch.setattr(moshi, "FINISH_WITHIN_S", 0.3)

    assert await _finish_unheard(MoshiDouble(deaf=True, batched=False)) == []


async def test_audio_that_ends_within_a_word() -> None:
    """The word needs silence before the marker too: it is known with the padding after it."""
    async with MoshiDouble().serve() as double, MoshiEngine({"url": double.url}) as engine:
        assert words(await converse(engine, speech(3)[: -GAP * FRAME])) == said(3)


async def test_no_free_channel_is_its_own_error() -> None:
    """The second client of a server with one channel is told on opening."""
    double = MoshiDouble(slots=1)
    async with double.serve(), MoshiEngine({"url": double.url}) as engine:
        async with engine.open(language="en"):
            with pytest.raises(EngineBusyError):
                async with engine.open(language="en"):
                    pytest.fail("there is one channel")

        # The first one's place is free again.
        assert words(await converse(engine, speech(1))) == said(1)


async def test_error_of_the_server_ends_the_stream() -> None:
    """What it says is passed on, and opening anew may help."""
    double = MoshiDouble(fail_after=20)
    async with double.serve(), MoshiEngine({"url": double.url}) as engine:
        with pytest.raises(EngineError, match="device lost") as caught:
            await converse(engine, speech(8))

    assert caught.value.retryable


async def test_slow_start_is_waited_for() -> None:
    """Opening returns when the server is ready."""
    double = MoshiDouble(ready_after_s=0.5)
    async with double.serve(), MoshiEngine({"url": double.url}) as engine:
        began = time.monotonic()
        async with engine.open(language="en"):
            assert time.monotonic() - began >= 0.5
        assert words(await converse(engine, speech(2))) == said(2)


async def test_audio_sent_before_a_late_ready_is_not_lost() -> None:
    """Who takes a slow server for one that never says `Ready` loses nothing."""
    double = MoshiDouble(ready_after_s=0.5)
    async with double.serve(), MoshiEngine({"url": double.url, "ready_ms": "50"}) as engine:
        assert words(await converse(engine, speech(4))) == said(4)


async def test_first_message_shows_that_the_server_is_ready() -> None:
    """A server that says something else than `Ready` is ready, and that message counts."""
    first = ormsgpack.packb({"type": "Word", "text": "Early", "start_time": 0.0})
    double = MoshiDouble(batched=False, raw=["{}", first])
    async with double.serve(), MoshiEngine({"url": double.url}) as engine:
        async with asyncio.timeout(5):
            assert words(await converse(engine, speech(1))) == ["Early", *said(1)]


async def test_pings_of_the_server_are_answered() -> None:
    """It drops a client that lets two of them pass."""
    double = MoshiDouble(ping_after_s=0.05)
    async with (
        double.serve(),
        MoshiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(listen(stream))
        await asyncio.sleep(0.4)
        await stream.finish()
        await listening

    assert double.pongs >= 3


async def test_wrong_key_is_final() -> None:
    """An id that the server does not know is told with its cure."""
    async with (
        MoshiDouble(key="other").serve() as double,
        MoshiEngine({"url": double.url}) as engine,
    ):
        with pytest.raises(EngineError, match="authorized_ids") as caught:
            async with engine.open(language="en"):
                pytest.fail("the key is wrong")

    assert not caught.value.retryable


async def test_key_and_path_of_ones_own() -> None:
    """A path that is given is taken as it is, and so is the key."""
    async with MoshiDouble(key="k").serve() as double:
        async with MoshiEngine({"url": f"{double.url}/", "key": "k"}) as engine:
            assert words(await converse(engine, speech(1))) == said(1)
        async with MoshiEngine({"url": f"{double.url}/other", "key": "k"}) as engine:
            with pytest.raises(EngineError, match="404"):
                await engine.check()


@pytest.mark.parametrize("raw", [b"\xc1", b"\x93\x01\x02\x03"])
async def test_garbage_is_an_error_of_the_engine(raw: bytes) -> None:
    """What is not of the protocol ends the stream, and nothing else."""
    double = MoshiDouble(raw=[ormsgpack.packb({"type": "Ready"}), raw])
    async with (
        double.serve(),
        MoshiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        with pytest.raises(EngineError, match="moshi-server sent"):
            await listen(stream)


async def test_undecodable_frame_is_what_the_double_drops_on() -> None:
    """The double is as strict as the server: a frame of ours that is wrong would show."""
    async with (
        MoshiDouble().serve() as double,
        MoshiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        await stream._connection.send(b"\x81\xa4type\xa3Pcm")  # type: ignore[attr-defined]
        with pytest.raises(EngineError, match="closed the stream"):
            await listen(stream)

    assert double.dropped == ["undecodable"]


@pytest.mark.parametrize(
    "options", [{}, {"url": "http://gpu:8080"}, {"url": "ws://gpu", "delay_ms": "x"}]
)
def test_bad_options_are_told_at_once(options: dict[str, str]) -> None:
    """Nothing is connected to find out that a setting makes no sense."""
    with pytest.raises(ConfigError):
        MoshiEngine(options)
