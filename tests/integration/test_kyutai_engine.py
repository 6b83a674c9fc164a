"""The engine `kyutai` against a double of the service, faults included."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import cast

import pytest

from livebot.audio.pcm import RATE_HZ, silence
from livebot.errors import ConfigError, EngineBusyError, EngineError
from livebot.stt.engine import Pause, SttEngine, SttEvent, Word
from livebot.stt.engines import kyutai
from livebot.stt.engines.kyutai import KyutaiEngine, KyutaiStream
from livebot.stt.remote import Connection
from tests.support import certificate
from tests.support.engine_contract import (
    converse,
    feed,
    listen,
    overhear,
    talk,
    words,
)
from tests.support.kyutai_double import KyutaiDouble
from tests.support.tone_contract import ToneContract
from tests.support.tone_model import said, speech

NOBODY = "ws://127.0.0.1:9/v1/stream"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for last words: the double answers at once."""
    monkeypatch.setattr(kyutai, "FIRST_WORD_S", 0.3)
    monkeypatch.setattr(kyutai, "NEXT_WORD_S", 0.2)


class TestContract(ToneContract):
    """The contract, in each dialect of the service."""

    @pytest.fixture(params=["rust", "python", "documented"])
    async def engine(self, request: pytest.FixtureRequest) -> AsyncIterator[SttEngine]:
        """Give an engine at a double."""
        async with (
            KyutaiDouble(dialect=request.param).serve() as double,
            KyutaiEngine({"url": double.url}) as engine,
        ):
            yield engine

    @pytest.fixture
    async def dead_engine(self) -> AsyncIterator[SttEngine]:
        """Give an engine where nobody listens."""
        async with KyutaiEngine({"url": NOBODY, "cold_start_s": "0.5"}) as engine:
            yield engine


async def test_the_language_need_not_be_told() -> None:
    """The model hears which one it is; the protocol has no word for it."""
    async with KyutaiDouble().serve() as double, KyutaiEngine({"url": double.url}) as engine:
        assert list(engine.capabilities.languages) == ["en", "fr", "auto"]
        assert engine.capabilities.hears_language
        async with engine.open(language="auto") as stream:
            assert words(await talk(stream, speech(3))) == said(3)


async def test_keys_are_shown_to_the_endpoint() -> None:
    """`Modal-Key` and `Modal-Secret` are sent to an address of one's own as well."""
    options = {"key": "wk-1", "secret": "ws-1"}
    async with (
        KyutaiDouble(key="wk-1", secret="ws-1").serve() as double,
        KyutaiEngine({**options, "url": double.url}) as engine,
    ):
        assert words(await converse(engine, speech(3))) == said(3)


@pytest.mark.parametrize(
    "status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND]
)
async def test_refusal_is_final_and_names_the_cure(status: HTTPStatus) -> None:
    """Wrong keys and wrong addresses are told at once: trying again cures neither."""
    async with (
        KyutaiDouble(statuses=[status]).serve() as double,
        KyutaiEngine({"url": double.url, "key": "wk-1", "secret": "s3cret"}) as engine,
    ):
        with pytest.raises(EngineError, match="MODAL_KEY") as caught:
            async with engine.open(language="en"):
                pytest.fail("the stream was refused")

    assert not caught.value.retryable
    assert str(status.value) in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert double.upgrades == 1


async def test_keys_do_not_follow_a_redirect() -> None:
    """A redirect is a refusal: it would carry the keys to another host."""
    async with (
        KyutaiDouble(statuses=[HTTPStatus.SEE_OTHER]).serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
    ):
        with pytest.raises(EngineError, match="303") as caught:
            async with engine.open(language="en"):
                pytest.fail("the stream was redirected")

    assert not caught.value.retryable


async def test_patience_has_an_end() -> None:
    """A start that takes longer than allowed is an error that may be tried again."""
    async with (
        KyutaiDouble(cold_start_s=20.0).serve() as double,
        KyutaiEngine({"url": double.url, "cold_start_s": "0.3"}) as engine,
    ):
        began = time.monotonic()
        with pytest.raises(EngineError, match="did not answer") as caught:
            async with engine.open(language="en"):
                pytest.fail("the endpoint is asleep")
        assert time.monotonic() - began < 10

    assert caught.value.retryable


async def test_close_at_once_means_busy() -> None:
    """The service's way to say that no channel is free is its own error."""
    async with (
        KyutaiDouble(close_at_once=True).serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        with pytest.raises(EngineBusyError):
            await listen(stream)


@pytest.mark.parametrize("code", [1000, 1011])
async def test_close_that_is_not_ours_is_an_error(code: int) -> None:
    """Whatever the code: audio flowed and there will be no more words."""
    double = KyutaiDouble(close_after=3, close_code=code)
    async with double.serve(), KyutaiEngine({"url": double.url}) as engine:
        heard: list[SttEvent] = []
        async with engine.open(language="en") as stream:
            await stream.send(speech(6))
            with pytest.raises(EngineError, match=str(code)) as caught:
                await overhear(stream, heard)
            with pytest.raises(EngineError):
                await stream.send(speech(1))

    assert caught.value.retryable
    assert not isinstance(caught.value, EngineBusyError)
    assert words(heard) == said(3)


async def test_pause_of_the_service_comes_out() -> None:
    """`vad_end` follows the words that it ends."""
    async with (
        KyutaiDouble(dialect="python").serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
    ):
        events = await converse(engine, speech(3))

    assert events[-1] == Pause()
    assert words(events) == said(3)


async def test_garbage_is_an_error_of_the_engine() -> None:
    """What is not of the protocol ends the stream, and nothing else."""
    async with (
        KyutaiDouble(raw=["<html>"]).serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        with pytest.raises(EngineError, match="not JSON"):
            await listen(stream)


async def test_too_long_a_message_is_an_error_of_the_engine() -> None:
    """A peer cannot hold up everybody by one message: captions of so many words take seconds."""
    long = json.dumps({"type": "token", "text": " a" * 32_000})
    async with (
        KyutaiDouble(raw=[long]).serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        with pytest.raises(EngineError, match="1009"):
            await listen(stream)


async def test_last_word_comes_with_the_silence_of_the_flush() -> None:
    """The audio ends within the model's delay: what is missing to it is sent as silence."""
    async with KyutaiDouble().serve() as double, KyutaiEngine({"url": double.url}) as engine:
        audio = speech(3)
        assert words(await converse(engine, audio)) == said(3)

    flushed = double.samples[0] - len(audio)
    assert flushed >= 2.0 * RATE_HZ
    assert flushed % kyutai.FRAME == 0


async def test_slow_endpoint_is_heard_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last words are waited for once the endpoint has read its backlog, not before.

    Spec: engines/Endpoints that hang.
    """
    monkeypatch.setattr(kyutai, "FINISH_WITHIN_S", 1.0)
    double = KyutaiDouble(message_s=0.05)
    async with double.serve(), KyutaiEngine({"url": double.url}) as engine:
        began = time.monotonic()
        assert words(await converse(engine, speech(30))) == said(30)
        assert time.monotonic() - began > 2.0


async def test_flush_covers_a_longer_delay() -> None:
    """The larger model's delay is set by an option."""
    async with (
        KyutaiDouble().serve() as double,
        KyutaiEngine({"url": double.url, "delay_ms": "2500"}) as engine,
    ):
        await converse(engine, speech(1))

    assert double.samples[0] - len(speech(1)) >= 4.0 * RATE_HZ


async def test_stream_without_audio_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that pauses for longer than the service bears loses nothing."""
    monkeypatch.setattr(kyutai, "SIGN_OF_LIFE_S", 0.1)
    double = KyutaiDouble(idle_s=0.3)
    async with (
        double.serve(),
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(listen(stream))
        await asyncio.sleep(0.7)
        await feed(stream, speech(3))

    assert words(listening.result()) == said(3)


async def test_idle_close_is_an_error() -> None:
    """The counterpart: without signs of life the double does hang up."""
    double = KyutaiDouble(idle_s=0.2)
    async with (
        double.serve(),
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
    ):
        await stream.send(speech(3))
        with pytest.raises(EngineError, match="1000"):
            await listen(stream)


async def test_finish_wakes_a_listener_that_waits() -> None:
    """The end is told when the last words are out, not when the next sign of life is due."""
    async with (
        KyutaiDouble().serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
        engine.open(language="en") as stream,
        asyncio.TaskGroup() as group,
    ):
        listening = group.create_task(listen(stream))
        await stream.send(speech(2))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await stream.finish()
        await listening

    assert words(listening.result()) == said(2)
    assert time.monotonic() - began < 5


async def test_large_chunks_are_cut() -> None:
    """What is replayed at once goes out in messages that every server takes."""
    async with (
        KyutaiDouble().serve() as double,
        KyutaiEngine({"url": double.url, "chunk_ms": "80"}) as engine,
    ):
        # Twelve seconds: at once it would be more than the double's limit of 1 MiB.
        audio = silence(12 * RATE_HZ)
        assert words(await converse(engine, audio)) == []

    assert double.samples[0] >= len(audio)


async def test_encrypted_endpoint_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS the words are the same, with the certificates the system trusts."""
    tls, file = certificate.create(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    double = KyutaiDouble()
    async with double.serve(tls=tls), KyutaiEngine({"url": double.url}) as engine:
        assert double.url.startswith("wss:")
        assert words(await converse(engine, speech(3))) == said(3)


async def test_certificate_that_is_not_trusted_is_final(tmp_path: Path) -> None:
    """It is told at once: trying again would not make it any better."""
    tls, _ = certificate.create(tmp_path)
    double = KyutaiDouble()
    async with double.serve(tls=tls), KyutaiEngine({"url": double.url}) as engine:
        with pytest.raises(EngineError, match="not trusted") as caught:
            async with engine.open(language="en"):
                pytest.fail("anybody could be at the other end")

    assert not caught.value.retryable


async def _stumble(engine: SttEngine) -> None:
    """Have a bug while holding a stream."""
    async with engine.open(language="en") as stream:
        await stream.send(speech(1))
        raise ZeroDivisionError


async def test_leaving_a_stream_closes_it_whatever_happened() -> None:
    """A stream that nobody needs any more costs the endpoint nothing."""
    async with KyutaiDouble().serve() as double, KyutaiEngine({"url": double.url}) as engine:
        with pytest.raises(ZeroDivisionError):
            await _stumble(engine)

        async with asyncio.timeout(2):
            await double.left.wait()


async def test_nothing_is_compressed() -> None:
    """Compression of speech costs ten times the CPU of all the rest, for 6 % fewer bytes."""
    async with KyutaiDouble().serve() as double, KyutaiEngine({"url": double.url}) as engine:
        await converse(engine, speech(1))

    assert double.extensions is None


class Reluctant:
    """A connection to an endpoint that takes a while for each message and says nothing."""

    is_ended = False

    def __init__(self, take_s: float) -> None:
        self._take_s = take_s
        self.sent = 0
        self.is_closed = False

    async def send(self, message: bytes) -> None:
        """Take the message in, slowly."""
        assert not self.is_closed, "closed before the flush was out"
        await asyncio.sleep(self._take_s)
        self.sent += len(message) // 4

    async def wait_read(self) -> None:
        """Read the rest, as slowly."""
        await asyncio.sleep(1.0)

    async def receive(self) -> str | bytes:
        """Have nothing to say."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True


@pytest.mark.virtual_time
async def test_flush_that_takes_long_is_not_cut_off() -> None:
    """Last words are waited for once the endpoint has taken the silence, not before."""
    connection = Reluctant(take_s=3.0)
    stream = KyutaiStream(cast(Connection, connection), chunk=4_800, flush=48_000)

    async with asyncio.TaskGroup() as group:
        group.create_task(listen(stream))
        await stream.send(speech(1))
        await stream.finish()

    assert connection.sent == len(speech(1)) + 48_000
    assert connection.is_closed


async def test_times_of_audio_that_was_never_sent_are_none() -> None:
    """All before them would be taken for answered: lost with the stream, or heard as told."""
    tokens = [("lies", 0.5, 9e5), ("more", 9e5, None), ("said", 0.25, 0.5)]
    raw = [
        json.dumps({"type": "token", "text": text, "start": start, "end": end})
        for text, start, end in tokens
    ]
    async with (
        KyutaiDouble(raw=list(raw)).serve() as double,
        KyutaiEngine({"url": double.url}) as engine,
    ):
        events = await converse(engine, silence(RATE_HZ))

    heard = [event for event in events if isinstance(event, Word)]
    assert heard[:3] == [Word("lies"), Word("more"), Word("said", 0.25, 0.5)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": ""},
        {"url": "https://example.com/v1/stream"},
        {"url": "ws://"},
        {"url": "ws://host:port/"},
        {"workspace": "acme", "delay_ms": "soon"},
        {"workspace": "acme", "delay_ms": "-1"},
        {"workspace": "acme", "chunk_ms": "0"},
        {"workspace": "acme", "cold_start_s": "nan"},
        {"workspace": "acme", "session_s": "-1"},
        {"workspace": "acme", "key": "two\nlines", "secret": "s"},
    ],
)
def test_bad_options_are_told_at_once(options: dict[str, str]) -> None:
    """Nothing is connected to find out that a setting makes no sense."""
    with pytest.raises(ConfigError):
        KyutaiEngine(options)


def test_workspace_gives_the_address_of_its_service() -> None:
    """The address is Modal's for this app, and encrypted."""
    engine = KyutaiEngine({"workspace": "acme"})

    assert engine._endpoint.url == (
        "wss://acme--kyutai-stt-rust-kyutaisttrustservice-serve.modal.run/v1/stream"
    )
    assert engine.capabilities.cold_start_s == 120
    assert engine.capabilities.session_s == 1800


def test_an_endpoint_may_let_streams_live_for_ever() -> None:
    """Only who runs the endpoint knows."""
    engine = KyutaiEngine({"workspace": "acme", "session_s": "0"})

    assert engine.capabilities.session_s is None
