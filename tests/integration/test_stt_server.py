"""`livebot stt-server`: an engine behind the service's WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from livebot.audio.pcm import Samples, silence
from livebot.errors import ConfigError, EngineBusyError, EngineError
from livebot.stt import server, wire
from livebot.stt.engine import Pause, SttEngine, SttEvent, Word
from livebot.stt.engines import kyutai
from livebot.stt.engines.kyutai import KyutaiEngine
from livebot.stt.wire import Dialect
from tests.support.engine_contract import converse, listen, overhear, words
from tests.support.tone_contract import ToneContract
from tests.support.tone_engine import ToneEngine
from tests.support.tone_model import FRAME, said, speech

KEYS: dict[str, Any] = {"key": "wk-1", "secret": "ws-1"}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for last words: the engines here answer at once."""
    monkeypatch.setattr(kyutai, "FIRST_WORD_S", 0.3)
    monkeypatch.setattr(kyutai, "NEXT_WORD_S", 0.2)


@asynccontextmanager
async def serving(engine: SttEngine | None = None, **terms: Any) -> AsyncIterator[str]:
    """Serve an engine on this machine; give the stream's address."""
    async with server.serve(engine or ToneEngine(), **terms) as port:
        yield f"ws://127.0.0.1:{port}/v1/stream"


async def send(ws: ClientConnection, audio: Samples, size: int = 4_800) -> None:
    """Send audio as a client does that knows nothing of frames."""
    for start in range(0, len(audio), size):
        await ws.send(wire.encode_audio(audio[start : start + size]))


async def answers(ws: ClientConnection, count: int) -> list[Any]:
    """Return the next messages."""
    async with asyncio.timeout(5):
        return [json.loads(await ws.recv()) for _ in range(count)]


async def close_code(ws: ClientConnection) -> int | None:
    """Wait until the server closes; return its code."""
    async with asyncio.timeout(5):
        await ws.wait_closed()
    return ws.close_code


class TestContract(ToneContract):
    """The engine `kyutai` at our own server, in both dialects, with keys."""

    @pytest.fixture(params=["rust", "python"])
    async def engine(self, request: pytest.FixtureRequest) -> AsyncIterator[SttEngine]:
        """Give a remote engine at a server."""
        async with (
            serving(dialect=request.param, max_streams=50, **KEYS) as url,
            KyutaiEngine({"url": url, **KEYS}) as engine,
        ):
            yield engine

    @pytest.fixture
    async def dead_engine(self) -> AsyncIterator[SttEngine]:
        """Give a remote engine whose keys are wrong."""
        async with (
            serving(**KEYS) as url,
            KyutaiEngine({"url": url, "key": "wk-1", "secret": "wrong"}) as engine,
        ):
            yield engine


async def test_rust_dialect_is_bare_words_alone() -> None:
    """No pauses, no signs of life: tokens without spaces, and the times of their words."""
    async with serving() as url, connect(url) as ws:
        await send(ws, np.concatenate([speech(2), silence(40 * FRAME), speech(1)]))
        await send(ws, silence(10 * FRAME))

        assert await answers(ws, 3) == [
            {"type": "token", "text": "Zero", "start": 0.16, "end": 0.4},
            {"type": "token", "text": "one", "start": 0.64, "end": 0.88},
            {"type": "token", "text": "two,", "start": 4.48, "end": 4.72},
        ]


async def test_python_dialect_has_spaces_pauses_and_pings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the older clients were written for."""
    monkeypatch.setattr(server, "PING_EVERY_S", 0.1)
    async with serving(dialect="python") as url, connect(url) as ws:
        await send(ws, np.concatenate([speech(1), silence(40 * FRAME)]))

        assert await answers(ws, 3) == [
            {"type": "token", "text": " Zero", "start": 0.16, "end": 0.4},
            {"type": "vad_end"},
            {"type": "ping"},
        ]


@pytest.mark.parametrize("size", [1_001, 1_920, 50_000])
async def test_any_cutting_gives_the_same_words(size: int) -> None:
    """Messages need not be frames; the engine gets nothing else."""
    engine = ToneEngine()
    async with serving(engine) as url, connect(url) as ws:
        await send(ws, np.concatenate([speech(3), silence(10 * FRAME)]), size)

        assert [m["text"] for m in await answers(ws, 3)] == said(3)
    assert engine.lengths == {FRAME}


async def test_no_whole_samples_close_the_stream() -> None:
    """As in the service: its array would not take them, and 1000 is its only code."""
    async with serving() as url, connect(url) as ws:
        await ws.send(b"\0" * 7)

        assert await close_code(ws) == 1000


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_idle_client_is_closed(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without audio, after the dialect's time, with 1000; nothing else counts as audio."""
    monkeypatch.setitem(server.IDLE_S, dialect, 0.3)

    async def chatter(ws: ClientConnection) -> None:
        while True:
            await ws.send(b"")
            await ws.send("hello?")
            await asyncio.sleep(0.05)

    engine = ToneEngine()
    async with serving(engine, dialect=dialect) as url, connect(url) as ws:
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionClosed):
                await chatter(ws)
        assert ws.close_code == 1000

    assert engine.opened == 0


def test_idle_times_are_the_services() -> None:
    """Thirty seconds today, ten in the older one."""
    assert server.IDLE_S == {Dialect.RUST: 30, Dialect.PYTHON: 10}


async def test_one_too_many_is_let_in_and_closed() -> None:
    """As in the service; our client tells it from other closes. The place is free again later."""
    async with serving(max_streams=1) as url, KyutaiEngine({"url": url}) as engine:
        async with engine.open(language="en"), engine.open(language="en") as second:
            with pytest.raises(EngineBusyError):
                await listen(second)

        async with asyncio.timeout(5):
            assert words(await converse(engine, speech(2))) == said(2)


async def test_full_engine_is_as_a_full_server() -> None:
    """The engine may have fewer places than the server was told."""
    async with serving(ToneEngine(slots=0)) as url, KyutaiEngine({"url": url}) as engine:
        with pytest.raises(EngineBusyError):
            await converse(engine, speech(2))


async def test_engine_that_breaks_closes_its_stream_alone() -> None:
    """The client gets 1000 and may come back; the others hear nothing of it."""
    engine = ToneEngine(breaks_after=40)
    async with serving(engine) as url, connect(url) as first, connect(url) as second:
        await send(first, speech(20))
        assert await close_code(first) == 1000

        await send(second, speech(3))
        assert [m["text"] for m in await answers(second, 2)] == said(2)

    assert engine.opened == 0


async def test_leaving_the_context_ends_the_streams() -> None:
    """Clients are told, and the engine's streams are given back."""
    engine = ToneEngine()
    async with serving(engine) as url, connect(url) as ws:
        await send(ws, speech(2))
        await answers(ws, 1)
        assert engine.opened == 1
    assert engine.opened == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Modal-Key": "wk-1"},
        {"Modal-Key": "wk-1", "Modal-Secret": "ws-2"},
        {"Modal-Key": "wk-2", "Modal-Secret": "ws-1"},
        {"Modal-Key": "wk-1", "Modal-Secret": ""},
    ],
)
async def test_wrong_keys_are_refused_on_the_upgrade(headers: dict[str, str]) -> None:
    """Both have to be right; nothing of the engine is touched."""
    engine = ToneEngine()
    async with serving(engine, **KEYS) as url:
        with pytest.raises(InvalidStatus, match="401"):
            await connect(url, additional_headers=headers)


async def test_key_of_strange_bytes_is_wrong() -> None:
    """Whatever a stranger sends is refused, not stumbled over."""
    async with serving(**KEYS) as url:
        answer = await _get(url, "/v1/stream", b"Modal-Key: \xff\xfe\r\nModal-Secret: \xff\r\n")

    assert answer.startswith("HTTP/1.1 401 ")


@pytest.mark.parametrize("keys", [{}, KEYS])
async def test_pages_of_a_browser_are_refused(keys: dict[str, Any]) -> None:
    """Any page can open a WebSocket to this machine; none may use the engine."""
    headers = {"Modal-Key": KEYS["key"], "Modal-Secret": KEYS["secret"]}
    async with serving(**keys) as url:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(
                url,
                origin="https://evil.example",  # type: ignore[arg-type]
                additional_headers=headers,
            )


async def _get(url: str, path: str, headers: bytes = b"") -> str:
    """Return what an ordinary HTTP client is answered."""
    port = urlsplit(url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + headers + b"\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_health_needs_no_keys() -> None:
    """A supervisor asks by HTTP how full it is; other paths are unknown."""
    async with serving(max_streams=3, **KEYS) as url:
        health = await _get(url, "/health")
        other = await _get(url, "/v2")

    assert health.startswith("HTTP/1.1 200 ")
    assert json.loads(health.split("\r\n\r\n")[1]) == {"status": "healthy", "streams": 0, "max": 3}
    assert other.startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        ({"host": "0.0.0.0"}, "set a key"),
        ({"host": "::"}, "set a key"),
        ({"host": ""}, "set a key"),
        ({"host": "stt.example.com"}, "set a key"),
        ({"key": "wk-1"}, "both"),
        ({"secret": "ws-1"}, "both"),
        ({"key": "", "secret": ""}, "empty"),
        ({"max_streams": 0}, "at least one"),
        ({"dialect": "go"}, "rust, python"),
        ({"host": "192.0.2.1", **KEYS}, "cannot listen"),
    ],
)
async def test_bad_arguments_are_told_before_serving(arguments: dict[str, Any], cure: str) -> None:
    """It does not start half, nor open to the world without a key."""
    with pytest.raises(ConfigError, match=cure):
        async with server.serve(ToneEngine(), **arguments):
            pytest.fail("it serves")


async def test_remote_words_are_the_local_words() -> None:
    """What the engine hears is what comes out at the other end of the wire."""
    audio = np.concatenate([speech(7), silence(30 * FRAME), speech(4)])
    local = await converse(ToneEngine(), audio)

    async with serving(dialect="python") as url, KyutaiEngine({"url": url}) as engine:
        remote = await converse(engine, audio)

    assert words(remote) == words(local) == said(11)
    assert remote.index(Pause()) == local.index(Pause()) == 7


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_remote_times_are_the_local_times(
    dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times count what the caller sent, not the signs of life in between.

    Spec: engines/Word times over the wire.
    """
    monkeypatch.setattr(kyutai, "SIGN_OF_LIFE_S", 0.05)
    audio = np.concatenate([speech(3), silence(30 * FRAME), speech(4)])
    local = await converse(ToneEngine(), audio)

    async with (
        serving(dialect=dialect) as url,
        KyutaiEngine({"url": url}) as engine,
        engine.open(language="en") as stream,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(listen(stream))
        await stream.send(audio[: 20 * FRAME])
        await asyncio.sleep(0.5)
        await stream.send(audio[20 * FRAME :])
        await stream.finish()

    times = [(e.start, e.end) for e in listening.result() if isinstance(e, Word)]
    assert times == [pytest.approx((e.start, e.end)) for e in local if isinstance(e, Word)]


async def test_lost_engine_is_an_error_at_the_client() -> None:
    """A stream that ends early is told as such, after the words before it."""
    heard: list[SttEvent] = []
    async with (
        serving(ToneEngine(breaks_after=40)) as url,
        KyutaiEngine({"url": url}) as engine,
        engine.open(language="en") as stream,
    ):
        await stream.send(speech(20))
        with pytest.raises(EngineError, match="1000"):
            await overhear(stream, heard)

    assert words(heard) == said(len(heard))
