"""Live sessions in memory, with an engine that hears what the test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from livebot.feeds.directory import Feeds
from livebot.feeds.events import Event, Numbered, Snapshot
from livebot.feeds.feed import Feed
from livebot.live.options import LiveOptions
from livebot.live.session import LiveSession
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.stt.engine import SttEngine
from tests.support.scripted_engine import ScriptedEngine

RATE_HZ = 16_000
OPTIONS = LiveOptions(encoding="pcm_s16le", rate_hz=RATE_HZ)


def tone(seconds: float, level: float = 0.1) -> bytes:
    """Return a tone as 16-bit samples at `RATE_HZ`."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(at * 440 * 2 * np.pi) * level * 32767).astype("<i2").tobytes()


def quiet(seconds: float) -> bytes:
    """Return silence as 16-bit samples at `RATE_HZ`."""
    return bytes(2 * round(seconds * RATE_HZ))


async def speak(session: LiveSession, seconds: float, step: float = 0.1) -> None:
    """Send speech at the pace of speech."""
    audio, size = tone(seconds), len(tone(step))
    for at in range(0, len(audio), size):
        await session.send(audio[at : at + size])
        await asyncio.sleep(step)


@dataclass(slots=True)
class Live:
    """Live sessions, and what they were built of."""

    sessions: LiveSessions
    engine: ScriptedEngine
    feeds: Feeds
    metrics: Metrics
    settings: Settings

    async def open(self, owner: str = "me", options: LiveOptions = OPTIONS) -> LiveSession:
        """Open a session."""
        return await self.sessions.open(owner, options)

    def sample(self, name: str, **labels: str) -> float:
        """Return a figure."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def live(
    *,
    store: Store | None = None,
    engine: ScriptedEngine | None = None,
    heard_by: SttEngine | None = None,
    overload: Callable[[], tuple[str, ...]] = tuple,
    **settings: Any,
) -> AsyncIterator[Live]:
    """Have live sessions; those still open at the end are cancelled."""
    engine = engine or ScriptedEngine()
    metrics, feeds = Metrics(), Feeds()
    made = Settings(_env_file=None).model_copy(update=settings)
    async with LiveSessions(
        made,
        engine=heard_by or engine,
        feeds=feeds,
        store=store,
        metrics=metrics,
        overload=overload,
    ) as sessions:
        yield Live(sessions, engine, feeds, metrics, made)


@dataclass(slots=True)
class Reader:
    """Reads a feed to its end; checks that no number is missing."""

    feed: Feed
    after: int = 0
    events: list[Numbered] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)

    async def run(self) -> None:
        """Read until the feed is closed and all was read."""
        while got := await self.feed.read(self.after):
            if isinstance(got, Snapshot):
                self.snapshots.append(got)
                self.after = got.seq
                continue
            for numbered in got:
                assert numbered.seq == self.after + 1
                self.after = numbered.seq
                self.events.append(numbered)

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of a kind."""
        return [each.event for each in self.events if isinstance(each.event, kind)]
