"""Deepgram's own client, unchanged, against the service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from deepgram.core.api_error import ApiError

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.errors import BusyError
from livebot.live.clients import End
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_live import WORDS, FakeLive
from tests.support.fake_rooms import FakeRooms

pytestmark = pytest.mark.filterwarnings(
    # The client's own business: it uses an older interface of websockets'.
    "ignore:.*(websockets|remove second argument):DeprecationWarning"
)

KEY = "0123456789abcdef"
ANYWHERE = Bind("127.0.0.1", 0)


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service with a key; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=f"ops:{KEY}")


@pytest.fixture
def live() -> FakeLive:
    """Return live sessions without an engine."""
    return FakeLive()


@pytest.fixture
async def port(settings: Settings, live: FakeLive) -> AsyncIterator[int]:
    """Serve the API."""
    services = Services(live=cast("LiveSessions", live))
    app = make_app({"default": FakeRooms()}, settings, Metrics(), services=services)
    async with serve(app, ANYWHERE) as found:
        yield found


def client(port: int, key: str = KEY) -> AsyncDeepgramClient:
    """Return Deepgram's client, told of nothing but another address."""
    here = f"127.0.0.1:{port}"
    return AsyncDeepgramClient(
        api_key=key,
        environment=DeepgramClientEnvironment(
            base=f"http://{here}",
            production=f"ws://{here}",
            agent=f"ws://{here}",
            agent_rest=f"http://{here}",
        ),
    )


async def test_interim_and_final_results(port: int, live: FakeLive) -> None:
    """What grows, then what it came to. Spec: compatible-clients/Live in Deepgram's form."""
    asked: dict[str, Any] = {"encoding": "linear16", "sample_rate": 16000, "channels": 1}
    async with client(port).listen.v1.connect(
        model="nova-3", interim_results="true", vad_events="true", utterance_end_ms=1000, **asked
    ) as listening:
        for _ in WORDS:
            await listening.send_media(b"\0\0" * 160)
        await listening.send_close_stream()
        told = [message async for message in listening]

    results = [message for message in told if message.type == "Results"]
    *interims, final = results
    assert [each.is_final for each in interims] == [False] * len(WORDS)
    assert interims[0].channel.alternatives[0].transcript == "Some"
    assert (final.is_final, final.speech_final) == (True, True)
    best = final.channel.alternatives[0]
    assert best.transcript == " ".join(WORDS)
    assert [word.punctuated_word for word in best.words] == list(WORDS)
    assert [word.word for word in best.words][:5] == ["some", "words", "are", "said", "here"]
    assert (final.start, final.duration) == (0.0, 5.0)
    kinds = [message.type for message in told]
    assert kinds[0] == "SpeechStarted"
    assert kinds[-2:] == ["UtteranceEnd", "Metadata"]
    assert told[-1].duration == 5.0
    (session,) = live.sessions
    assert (session.options.encoding, session.options.rate_hz) == ("pcm_s16le", 16000)
    assert live.owners == ["ops"]


async def test_finalize_is_answered(port: int) -> None:
    """A result says that it answers, also where nothing was said."""
    async with client(port).listen.v1.connect(model="nova-3") as listening:
        await listening.send_media(b"\0\0")
        await listening.send_finalize()
        said = await listening.recv()
        await listening.send_finalize()
        nothing = await listening.recv()
        await listening.send_keep_alive()
        await listening.send_close_stream()
        last = [message.type async for message in listening]

    assert (said.from_finalize, said.channel.alternatives[0].transcript) == (True, "Some")
    assert (nothing.from_finalize, nothing.channel.alternatives[0].transcript) == (True, "")
    assert last == ["Metadata"]


async def test_wrong_key(port: int) -> None:
    """Deepgram's client knows what is wrong."""
    with pytest.raises(ApiError) as caught:
        async with client(port, "wrong").listen.v1.connect(model="nova-3"):
            pass

    assert caught.value.status_code == 401


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("redact=pci", "redact"),
        ("callback=http://a.example", "callback"),
        ("multichannel=true", "multichannel"),
        ("encoding=linear16", "sample_rate"),
        ("encoding=g729", "encoding"),
        ("sample_rate=lots", "sample_rate"),
        ("interim_results=perhaps", "interim_results"),
        ("language=en&language=de", "language"),
    ],
)
async def test_what_cannot_be_had_is_refused(port: int, query: str, word: str) -> None:
    """Before the connection is one. Spec: compatible-clients/Nothing is ignored silently."""
    headers = {
        "Authorization": f"Token {KEY}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"http://127.0.0.1:{port}/v1/listen?{query}") as answer,
    ):
        body = await answer.json()

    assert answer.status == 400
    assert (body["err_code"], word in body["err_msg"]) == ("Bad Request", True)
    assert answer.headers["dg-error"] == body["err_msg"]
    assert answer.headers["dg-request-id"] == body["request_id"]


async def test_busy(port: int, live: FakeLive) -> None:
    """A limit is an answer, no connection that ends at once."""
    live.fault = BusyError("there are 100 live sessions already")
    with pytest.raises(ApiError) as caught:
        async with client(port).listen.v1.connect(model="nova-3"):
            pass

    assert caught.value.status_code == 503


async def test_no_upgrade(port: int) -> None:
    """Who asks over plain HTTP is told what this is."""
    headers = {"Authorization": f"Token {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"http://127.0.0.1:{port}/v1/listen") as answer,
    ):
        assert (answer.status, (await answer.json())["err_code"]) == (426, "Upgrade Required")


async def raw(port: int, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """Return a connection without Deepgram's client."""
    headers = {"Authorization": f"Token {KEY}"}
    return await session.ws_connect(f"ws://127.0.0.1:{port}/v1/listen", headers=headers)


async def test_what_is_no_audio(port: int) -> None:
    """It ends as Deepgram ends it, and says why."""
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        await listening.send_bytes(b"!")
        error = await listening.receive_json()
        end = await listening.receive()

    assert (error["type"], error["variant"]) == ("Error", "DATA-0000")
    assert (end.data, end.extra) == (1008, "DATA-0000")


async def test_other_messages(port: int) -> None:
    """What is not known is answered, and changes nothing; an empty piece of audio ends."""
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        for text in ("{", "[]", '{"type": 3}', '{"type": "Sing"}'):
            await listening.send_str(text)
            assert (await listening.receive_json())["variant"] == "UNKNOWN-MESSAGE"
        await listening.send_str('{"type": "Configure", "keyterms": []}')
        assert (await listening.receive_json())["type"] == "ConfigureFailure"
        await listening.send_bytes(b"a")
        await listening.send_bytes(b"")
        assert (await listening.receive_json())["is_final"] is True
        assert (await listening.receive_json())["type"] == "Metadata"
        assert (await listening.receive()).data == 1000


async def test_a_client_that_is_gone(port: int, live: FakeLive) -> None:
    """Its session ends; others go on."""
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        await listening.send_bytes(b"a")
        assert listening._response.connection is not None
        transport = listening._response.connection.transport
        assert transport is not None
        transport.abort()
        async with asyncio.timeout(10):
            while not (live.sessions and live.sessions[0].feed.is_closed):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        other = await raw(port, session)
        await other.send_bytes(b"a")
        await other.send_str('{"type": "CloseStream"}')
        assert (await other.receive_json())["is_final"] is True


async def test_the_session_ends_first(port: int, live: FakeLive) -> None:
    """Where the service ends a session, the client is told as if it had asked."""
    async with client(port).listen.v1.connect(model="nova-3") as listening:
        await listening.send_media(b"a")
        async with asyncio.timeout(10):
            while not (live.sessions and live.sessions[0].pieces):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await live.sessions[0].finish()
        told = [message.type async for message in listening]

    assert told == ["Results", "Metadata"]


async def test_a_client_that_sends_nothing(port: int, live: FakeLive) -> None:
    """It ends as Deepgram ends it."""
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        await listening.send_str('{"type": "KeepAlive"}')
        async with asyncio.timeout(10):
            while not (live.sessions and live.sessions[0].signs):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        live.sessions[0].end.set_result(End.IDLE)
        error = await listening.receive_json()
        end = await listening.receive()

    assert error["variant"] == "NET-0001"
    assert (end.data, end.extra) == (1011, "NET-0001")


async def test_a_service_that_stops(port: int, live: FakeLive) -> None:
    """The last words are told, and that it was not the client that was done."""
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        await listening.send_bytes(b"a")
        async with asyncio.timeout(10):
            while not (live.sessions and live.sessions[0].pieces):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        live.sessions[0].end.set_result(End.RESTART)
        await live.sessions[0].finish()
        assert (await listening.receive_json())["is_final"] is True
        assert (await listening.receive_json())["type"] == "Metadata"
        assert (await listening.receive()).data == 1012


async def test_a_message_that_is_too_large(
    port: int, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends its own conversation. Spec: compatible-clients/Whatever clients send."""
    monkeypatch.setattr("livebot.api.sockets.MOST_BYTES", 1000)
    async with aiohttp.ClientSession() as session:
        other = await raw(port, session)
        listening = await raw(port, session)
        await listening.send_bytes(bytes(1001))
        assert (await listening.receive()).data == 1009
        await other.send_bytes(b"a")
        await other.send_str('{"type": "CloseStream"}')
        assert (await other.receive_json())["is_final"] is True
        assert not live.sessions[1].pieces


async def test_who_floods_leaves_turns_to_others(port: int, live: FakeLive) -> None:
    """However many messages are buffered. Spec: compatible-clients/Whatever clients send."""
    most, seen, count = 0, 0, 2000
    async with aiohttp.ClientSession() as session:
        listening = await raw(port, session)
        for _ in range(count):
            await listening.send_str('{"type": "KeepAlive"}')
        async with asyncio.timeout(30):
            while seen < count:
                await asyncio.sleep(0)
                signs = live.sessions[0].signs if live.sessions else 0
                most, seen = max(most, signs - seen), signs

    assert most <= 10
