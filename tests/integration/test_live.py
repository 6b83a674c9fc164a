"""Live sessions over a real WebSocket, with an engine that hears tones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds
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
