"""Endpoints that die, hang, refuse and come back, under the engines that talk to them."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket

from livebot.audio.pcm import RATE_HZ, silence
from livebot.errors import EngineBusyError, EngineError, EngineUnavailableError
from livebot.metrics import Metrics
from livebot.stt import breaker, failover, remote
from livebot.stt.engine import SttEngine, SttEvent, SttStream
from livebot.stt.engines import kyutai
from livebot.stt.engines.kyutai import KyutaiEngine
from livebot.stt.engines.moshi import MoshiEngine
from livebot.stt.failover import Failover
from tests.support.engine_contract import converse, listen, overhear, talk, words
from tests.support.kyutai_double import KyutaiDouble
from tests.support.moshi_double import MoshiDouble
from tests.support.tone_engine import ToneEngine
from tests.support.tone_model import said, speech


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what the doubles do at once."""
    monkeypatch.setattr(kyutai, "FIRST_WORD_S", 0.3)
    monkeypatch.setattr(kyutai, "NEXT_WORD_S", 0.2)
    monkeypatch.setattr(breaker, "FIRST_S", 0.1)


def alone(engine: SttEngine) -> Failover:
    """Return an engine with its breaker."""
    return Failover({"first": engine}, Metrics())


def with_another(engine: SttEngine) -> Failover:
    """Return an engine with one that takes over."""
    return Failover({"first": engine, "other": ToneEngine()}, Metrics())


@asynccontextmanager
async def raw_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Serve TCP connections; give the address as a stream's."""
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []

        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(group.create_task(_serve(reader, writer)))

        async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            finally:
                writer.transport.abort()

        async with await asyncio.start_server(run, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield f"ws://127.0.0.1:{port}/v1/stream"
            for task in tasks:
                task.cancel()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and never answer."""
    del reader, writer
    await asyncio.Event().wait()


@asynccontextmanager
async def mute_server(
    *, reads: bool, say: Callable[[ServerConnection], Awaitable[None]] | None = None
) -> AsyncIterator[str]:
    """Take streams and say nothing on them but what is given, not even pongs; give the address."""

    async def hold(ws: ServerConnection) -> None:
        if reads:
            ws.protocol.send_pong = lambda data: None  # type: ignore[method-assign]  # noqa: ARG005
        else:
            ws.transport.pause_reading()
        try:
            if say:
                await say(ws)
            await ws.wait_closed()
        finally:
            ws.transport.abort()

    async with serve_websocket(hold, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as s:
        yield f"ws://127.0.0.1:{next(iter(s.sockets)).getsockname()[1]}/v1/stream"


# Opening.


async def test_cold_start_is_waited_for() -> None:
    """An endpoint that is not there yet, then unavailable, then slow, is reached in the end.

    Spec: engines/Cold start.
    """
    double = KyutaiDouble(
        statuses=[HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY], cold_start_s=0.2
    )
    async with double.serve(), alone(KyutaiEngine({"url": double.url})) as engine:
        assert words(await converse(engine, speech(3))) == said(3)

    assert double.upgrades == 3


@pytest.mark.parametrize("streams", [1, 10])
async def test_endpoint_that_was_killed_is_used_again(streams: int) -> None:
    """Whoever waits for a dead endpoint has words soon after it is back.

    Spec: engines/Circuit breaker.
    """
    async with KyutaiDouble().serve() as found:
        port = found.port
    late = KyutaiDouble()
    async with (
        alone(KyutaiEngine({"url": f"ws://127.0.0.1:{port}/v1/stream"})) as engine,
        asyncio.TaskGroup() as group,
    ):
        talking = [group.create_task(converse(engine, speech(3))) for _ in range(streams)]
        await asyncio.sleep(0.5)
        assert engine.troubles()[0].startswith(f"engine first: 127.0.0.1:{port} cannot be reached")
        async with late.serve(port=port):
            await asyncio.wait(talking)

    assert [words(task.result()) for task in talking] == [said(3)] * streams


async def test_endpoint_that_never_answers_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP connects and no upgrade comes: the next engine has the stream soon."""
    monkeypatch.setattr(failover, "FAILOVER_AFTER_S", 0.3)
    async with raw_server(say_nothing) as url, with_another(KyutaiEngine({"url": url})) as engine:
        began = time.monotonic()
        assert words(await converse(engine, speech(3))) == said(3)
        assert time.monotonic() - began < 6

        assert engine.troubles()[1:] == ["using engine other"]


async def test_endpoint_that_is_no_websocket_is_an_engine_error() -> None:
    """Whatever else listens there is told as such."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with raw_server(answer) as url, KyutaiEngine({"url": url}) as engine:
        with pytest.raises(EngineError, match="does not speak WebSocket"):
            await converse(engine, speech(1))


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND])
async def test_refusal_is_not_tried_again_soon(status: HTTPStatus) -> None:
    """The reason is shown with its cure, the endpoint is left alone for a minute.

    Spec: engines/Circuit breaker.
    """
    double = KyutaiDouble(statuses=[status] * 10)
    async with double.serve(), alone(KyutaiEngine({"url": double.url})) as engine:
        for _ in range(3):
            with pytest.raises(EngineUnavailableError, match="MODAL_KEY") as caught:
                await converse(engine, speech(1))
            assert caught.value.retry_in_s > 50
        assert "MODAL_KEY" in engine.troubles()[0]

    assert double.upgrades == 1


# All channels taken.


@pytest.mark.parametrize("engine_type", [KyutaiEngine, MoshiEngine])
async def test_full_endpoint_is_passed_over(
    engine_type: type[KyutaiEngine | MoshiEngine],
) -> None:
    """The stream that found no free channel goes to the next engine; the full one is not down.

    Spec: engines/Failover.
    """
    double = (
        KyutaiDouble(close_at_once=True) if engine_type is KyutaiEngine else MoshiDouble(slots=0)
    )
    metrics = Metrics()
    async with double.serve():
        engines = {"first": engine_type({"url": double.url}), "other": ToneEngine()}
        async with Failover(engines, metrics) as engine:
            if engine_type is KyutaiEngine:  # which tells only once the stream is open
                with pytest.raises(EngineBusyError):
                    await converse(engine, speech(3))

            assert words(await converse(engine, speech(3))) == said(3)
    assert metrics.registry.get_sample_value("transcription_engine_up", {"engine": "first"}) == 1


# Open streams.


@pytest.mark.parametrize("reads", [True, False])
async def test_endpoint_without_a_sign_of_life_is_given_up(
    monkeypatch: pytest.MonkeyPatch, *, reads: bool
) -> None:
    """A peer that takes audio, or not even that, and answers no ping is lost in time.

    Spec: engines/Endpoints that hang.
    """
    monkeypatch.setattr(remote, "ASK_AFTER_S", 0.1)
    monkeypatch.setattr(remote, "DEAD_AFTER_S", 0.4)
    async with mute_server(reads=reads) as url, KyutaiEngine({"url": url}) as engine:
        began = time.monotonic()
        with pytest.raises(EngineError, match="no sign of life"):
            async with engine.open(language="en") as stream:
                await _speak_for_ever(stream)
        assert 0.4 <= time.monotonic() - began < 4


async def _speak_for_ever(stream: SttStream) -> None:
    """Speak at the pace of speech, so that the stream's own deadlines never come; listen."""
    listening = asyncio.ensure_future(listen(stream))
    try:
        while not listening.done():
            await stream.send(silence(RATE_HZ // 50))
            await asyncio.wait([listening], timeout=0.02)
        await listening
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_endpoint_that_takes_no_audio_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little audio is under way to a peer that does not read, and sending has a deadline."""
    monkeypatch.setattr(remote, "SEND_WITHIN_S", 0.5)
    sent: list[float] = []
    async with (
        mute_server(reads=False) as url,
        KyutaiEngine({"url": url}) as engine,
        engine.open(language="en") as stream,
        asyncio.timeout(20),
    ):
        with pytest.raises(EngineError, match="takes no audio"):
            await _pour(stream, sent)

    assert sum(sent) < 30, "more than is kept to be sent again"


async def _pour(stream: SttStream, sent: list[float]) -> None:
    """Send silence as fast as it is taken; note how many seconds of it."""
    while True:
        await stream.send(silence(RATE_HZ // 5))
        sent.append(0.2)


async def test_silent_endpoint_that_answers_pings_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody speaks, nothing comes: that is no fault."""
    monkeypatch.setattr(remote, "ASK_AFTER_S", 0.05)
    monkeypatch.setattr(remote, "DEAD_AFTER_S", 0.2)
    double = KyutaiDouble()
    async with (
        double.serve(),
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(listen(stream))
        await asyncio.sleep(0.8)
        await stream.send(speech(3))
        await stream.finish()

    assert words(listening.result()) == said(3)


async def test_words_are_signs_of_life_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint so slow that its pongs wait behind the audio is kept while words come.

    Spec: engines/Endpoints that hang.
    """
    monkeypatch.setattr(remote, "ASK_AFTER_S", 0.05)
    monkeypatch.setattr(remote, "DEAD_AFTER_S", 0.5)

    async def murmur(ws: ServerConnection) -> None:
        for _ in range(12):
            await asyncio.sleep(0.1)
            await ws.send('{"type":"token","text":"word"}')

    async with mute_server(reads=False, say=murmur) as url, KyutaiEngine({"url": url}) as engine:
        heard: list[SttEvent] = []
        with pytest.raises(EngineError, match="no sign of life"):
            async with engine.open(language="en") as stream:
                await overhear(stream, heard)

    assert len(heard) == 12


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run a real `livebot stt-server` on tones; give its process and address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = (
        "import asyncio;from livebot.stt.server import serve;"
        "from tests.support.tone_engine import ToneEngine\n"
        "async def main():\n"
        f" async with serve(ToneEngine(), port={port}): await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        yield process, f"ws://127.0.0.1:{port}/v1/stream"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_server_that_is_killed_or_hangs_fails_its_streams(
    endpoint: tuple[asyncio.subprocess.Process, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped, it is found by its silence; going on, it is used again; killed, it is told at once.

    Spec: engines/Endpoints that hang.
    """
    monkeypatch.setattr(remote, "ASK_AFTER_S", 0.2)
    monkeypatch.setattr(remote, "DEAD_AFTER_S", 0.6)
    process, url = endpoint
    async with alone(KyutaiEngine({"url": url})) as engine, asyncio.timeout(30):
        assert words(await converse(engine, speech(3))) == said(3)

        async with engine.open(language="en") as stream:
            os.kill(process.pid, signal.SIGSTOP)
            with pytest.raises(EngineError, match="no sign of life"):
                await _speak_for_ever(stream)

        os.kill(process.pid, signal.SIGCONT)
        assert words(await converse(engine, speech(3))) == said(3)

        async with engine.open(language="en") as stream:
            process.kill()
            with pytest.raises(EngineError, match="closed the stream"):
                await _speak_for_ever(stream)


async def test_words_of_a_full_first_engine_are_not_lost() -> None:
    """A stream closed with 1000 after words is lost, not busy, and the next one goes on."""
    double = KyutaiDouble(close_after=3)
    async with double.serve(), with_another(KyutaiEngine({"url": double.url})) as engine:
        for _ in range(3):
            with pytest.raises(EngineError, match="1000") as caught:
                async with engine.open(language="en") as stream:
                    await talk(stream, speech(6))
            assert not isinstance(caught.value, EngineBusyError)
        assert engine.troubles() == []

    assert double.upgrades == 3
