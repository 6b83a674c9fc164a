"""Live sessions over a real WebSocket, with an engine that hears tones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds
from livebot.feeds.events import Notice
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings, load_settings
from livebot.stt.engine import SttEngine
from tests.support.fake_rooms import FakeRooms
from tests.support.live_client import LiveClient
from tests.support.tone_engine import ToneEngine
from tests.support.tone_model import said, speech

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
ANYWHERE = Bind("127.0.0.1", 0)


@dataclass
class Service:
    """A service that is served, and what it is of."""

    base: str
    sessions: LiveSessions
    feeds: Feeds
    metrics: Metrics

    def client(self, words: int = 6, **given: Any) -> LiveClient:
        """Return a client that says so many words, at five times the pace of speech."""
        return LiveClient(self.base, sound(words), **{"key": KEY, "speed": 5.0, **given})

    def url(self, **query: object) -> str:
        """Return the address of a WebSocket."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.base}/ws/transcribe?{asked}"


def sound(words: int, tail_s: float = 1.0) -> bytes:
    """Return audio in which so many words are heard, as 16-bit samples at 24 kHz."""
    audio = np.concatenate([speech(words), np.zeros(round(tail_s * 24_000), np.float32)])
    return (audio * 32767).astype("<i2").tobytes()


@pytest.fixture
def settings() -> Settings:
    """Return the settings of a service with two keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=f"ops:{KEY},other:{OTHER}")


@asynccontextmanager
async def served(
    settings: Settings, engine: SttEngine | None = None, **changed: object
) -> AsyncIterator[Service]:
    """Serve live sessions."""
    settings = settings.model_copy(update=changed)
    feeds, metrics = Feeds(), Metrics()
    async with (
        engine or ToneEngine() as heard,
        LiveSessions(settings, engine=heard, feeds=feeds, store=None, metrics=metrics) as live,
    ):
        services = Services(feeds=feeds, live=live)
        app = make_app({"default": FakeRooms()}, settings, metrics, services=services)
        async with serve(app, ANYWHERE) as port:
            yield Service(f"http://127.0.0.1:{port}", live, feeds, metrics)


async def test_words_come_in_order_and_the_last_before_the_close(settings: Settings) -> None:
    """A client speaks and closes: it has all its words. Spec: live-sessions/Events."""
    async with served(settings) as service:
        client = service.client(6)
        await client.run()

        assert client.text.split() == said(6)
        assert client.missing == []
        assert client.closed == {"type": "closed", "seq": max(client.events), "reason": "finished"}
        assert service.sessions.count == 0


async def test_the_first_message_says_where_things_are(settings: Settings) -> None:
    """A client learns its session's name, place and time. Spec: live-sessions/Events."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        ready = await ws.receive_json()

    assert ready["type"] == "ready"
    assert (ready["seq"], ready["position"]) == (0, 0)
    assert ready["resume_s"] == settings.live_resume_s
    assert len(ready["session"]) == 32


async def test_finalize_and_keepalive(settings: Settings) -> None:
    """Words come before the close where they are asked for. Spec: live-sessions/Finalize."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        await ws.send_bytes(sound(2, tail_s=0.1))
        await ws.send_json({"type": "finalize"})
        await ws.send_json({"type": "keepalive"})
        told = await until_final(ws)
        assert told["text"].split() == said(2)
        assert told["speaker"] == {"id": "", "name": ""}
        assert {"seq", "at", "utterance", "words", "start", "end", "latency_ms"} <= set(told)


async def test_a_connection_that_breaks_is_resumed(settings: Settings) -> None:
    """Its client has every event and every word. Spec: live-sessions/Resume."""
    async with served(settings) as service:
        client = service.client(30, speed=2.0)
        running = asyncio.create_task(client.run())
        for _ in range(3):
            await asyncio.sleep(1.5)
            client.cut()
        await running

        assert client.text.split() == said(30)
        assert (client.missing, client.gaps) == ([], [])
        assert client.resumed >= 2


async def test_events_after_a_number(settings: Settings) -> None:
    """Who comes back gets what it has not. Spec: live-sessions/Resume."""
    async with served(settings) as service, http() as web:
        async with connect(web, service) as ws:
            session = (await ws.receive_json())["session"]
            await ws.send_bytes(sound(2))
            first = await until_final(ws)
            await ws.close(code=4000)
        async with connect(web, service, session=session, after=first["seq"] - 1) as ws:
            ready, again = await ws.receive_json(), await ws.receive_json()
            assert ready["session"] == session
            assert again == first
        async with connect(web, service, session=session) as ws:
            await ws.receive_json()
            assert (await ws.receive_json())["seq"] == 1


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ({"encoding": "mp3"}, 4400, "bad_request"),
        ({"rate": "1"}, 4400, "bad_request"),
        ({"language": "tlh"}, 4400, "unsupported_language"),
        ({"after": "-1"}, 4400, "bad_request"),
        ({"session": "0" * 32}, 4404, "not_found"),
    ],
)
async def test_what_cannot_be_had_is_told(
    settings: Settings, query: dict[str, str], code: int, name: str
) -> None:
    """Browsers see it, too: it comes as a message. Spec: live-sessions/Errors."""
    async with served(settings) as service, http() as web, connect(web, service, **query) as ws:
        told = await ws.receive_json()
        assert (told["type"], told["code"]) == ("error", name)
        await ws.receive()
        assert ws.close_code == code


@pytest.mark.parametrize(
    "sent",
    [
        "garbage",
        "{}",
        '{"type": "dance"}',
        '{"type": "position"}',
        '{"type": "position", "seconds": "NaN"}',
        '{"type": "position", "seconds": 1e300}',
        "[" * 5000,
    ],
)
async def test_messages_that_are_not_understood(settings: Settings, sent: str) -> None:
    """Their client is told what would be, and may come back. Spec: live-sessions/Errors."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        session = (await ws.receive_json())["session"]
        await ws.send_str(sent)
        assert (await ws.receive_json())["code"] == "bad_request"
        await ws.receive()
        assert ws.close_code == 4400
        async with connect(web, service, session=session) as again:
            assert (await again.receive_json())["type"] == "ready"


async def test_messages_that_are_too_long(settings: Settings) -> None:
    """More than a MiB is no live audio. Spec: live-sessions/Limits."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        await ws.send_bytes(bytes((1 << 20) + 1))
        await ws.receive()
        assert ws.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_sessions_beyond_the_limit(settings: Settings) -> None:
    """One more is told so; others go on. Spec: live-sessions/Limits."""
    async with served(settings, max_live=1) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        async with connect(web, service) as second:
            assert (await second.receive_json())["code"] == "busy"
            await second.receive()
            assert second.close_code == 4503


async def test_a_session_is_its_keys(settings: Settings) -> None:
    """Another key learns nothing of it. Spec: live-sessions/Resume."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        session = (await ws.receive_json())["session"]
        async with connect(web, service, key=OTHER, session=session) as other:
            assert (await other.receive_json())["code"] == "not_found"
        assert not ws.closed


async def test_without_a_key_nothing_is_opened(settings: Settings) -> None:
    """Nor without an upgrade. Spec: live-sessions/Access."""
    async with served(settings) as service, http() as web:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await web.ws_connect(service.url())
        assert refused.value.status == 401
        headers = {"Authorization": f"Bearer {KEY}"}
        async with web.get(service.url(), headers=headers) as answer:
            assert answer.status == 426


async def test_another_connection_takes_over(settings: Settings) -> None:
    """The first one is closed. Spec: live-sessions/Resume."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        session = (await ws.receive_json())["session"]
        async with connect(web, service, session=session) as second:
            assert (await second.receive_json())["type"] == "ready"
            assert (await ws.receive_json())["code"] == "replaced"
            await ws.receive()
            assert ws.close_code == 4409


async def test_a_client_without_a_sign_of_life_is_closed(settings: Settings) -> None:
    """Its session waits for it. Spec: live-sessions/Idle clients."""
    async with served(settings, live_idle_s=1) as service, http() as web:
        async with connect(web, service) as ws:
            session = (await ws.receive_json())["session"]
            assert (await ws.receive_json())["code"] == "idle"
            await ws.receive()
            assert ws.close_code == 4408
        async with connect(web, service, session=session) as ws:
            assert (await ws.receive_json())["type"] == "ready"


async def test_stopping_sends_clients_to_the_next_process(settings: Settings) -> None:
    """They have the last words, and are told to come back. Spec: live-sessions/Stopping."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        await ws.send_bytes(sound(3, tail_s=0.2))
        await asyncio.sleep(0.5)
        draining = asyncio.create_task(service.sessions.drain(5))
        await ws.send_bytes(sound(1))
        told = [json.loads(message.data) async for message in ws]
        await draining
        assert told[-1]["type"] == "closed"
        assert told[-1]["reason"] == "restart"
        assert ws.close_code == 1012
        finals = [each["text"] for each in told if each["type"] == "final"]
        assert " ".join(finals).split()[:3] == said(3)


async def test_a_reader_that_does_not_read_slows_nobody(settings: Settings) -> None:
    """Its session waits for it; others have their words at once.

    Spec: live-sessions/Slow readers.
    """
    async with served(settings) as service, http() as web, connect(web, service) as stuck:
        ready = await stuck.receive_json()
        feed = service.feeds.get(f"live/{ready['session']}")
        # It reads nothing from now on: what it is told fills the buffers and then waits.
        stuck._writer.transport.pause_reading()
        other = service.client(10)
        running = asyncio.create_task(other.run())
        while not running.done():
            for _ in range(200):
                feed.publish(Notice("test", "x" * 1000))
            await asyncio.sleep(0.02)
        await running
        assert other.text.split() == said(10)
        # Seven at most: five times the pace of speech.
        assert max(other.lateness) < 5


async def test_bad_audio_is_told(settings: Settings) -> None:
    """Who sends a film learns what to send. Spec: live-sessions/Errors."""
    async with (
        served(settings) as service,
        http() as web,
        connect(web, service, encoding="auto") as ws,
    ):
        await ws.receive_json()
        await ws.send_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
        told = await ws.receive_json()
        assert told["code"] == "bad_request"
        assert "MP4" in told["message"]


def http() -> aiohttp.ClientSession:
    """Return a client of HTTP."""
    return aiohttp.ClientSession()


@asynccontextmanager
async def connect(
    web: aiohttp.ClientSession, service: Service, *, key: str = KEY, **query: object
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket."""
    asked = {"encoding": "pcm_s16le", "rate": 24_000, **query}
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        asyncio.timeout(30),
        web.ws_connect(service.url(**asked), headers=headers, max_msg_size=0) as ws,
    ):
        yield ws


async def until_final(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next final."""
    while (told := await ws.receive_json())["type"] != "final":
        assert told["type"] == "interim"
    found: dict[str, Any] = told
    return found


async def test_a_flood_of_messages_holds_up_nobody(settings: Settings) -> None:
    """Others are answered meanwhile; who floods has to wait. Spec: live-sessions/Floods."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        flood = json.dumps({"type": "keepalive"})

        async def send() -> None:
            while True:
                for _ in range(500):
                    await ws.send_str(flood)
                await asyncio.sleep(0)

        sending = asyncio.create_task(send())
        other = service.client(4)
        await other.run()
        sending.cancel()
        await asyncio.wait([sending])
        assert other.text.split() == said(4)
        assert max(other.lateness) < 5


async def test_positions_without_audio_have_an_end(settings: Settings) -> None:
    """Each is a gap: nobody makes thousands of them. Spec: live-sessions/Floods."""
    async with served(settings) as service, http() as web, connect(web, service) as ws:
        await ws.receive_json()
        for number in range(30):
            await ws.send_json({"type": "position", "seconds": float(number)})
        told = [json.loads(message.data) async for message in ws]
        assert told[-1]["code"] == "bad_request"
        assert len(told) <= 21
