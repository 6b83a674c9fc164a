"""The page of a service in this process, with a call in which the test speaks."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds, room_feed
from livebot.feeds.events import Final, Gap, Interim, Speaker
from livebot.feeds.feed import Feed
from livebot.ids import RoomToken
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings
from tests.support.fake_rooms import FakeRooms

ROOM = RoomToken("abcd1234")
ADA, GRACE = Speaker("s1", "Ada"), Speaker("s2", "Grace")


@dataclass
class Captioned:
    """A call, and the service that captions it.

    Attributes:
        settings: Of the service.
        feeds: What is said.
        feed: What is said in the call.
        port: Where the service listens; the same after each start.
    """

    settings: Settings
    feeds: Feeds = field(default_factory=Feeds)
    feed: Feed = field(default_factory=lambda: Feed(room_feed("default", ROOM)))
    port: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def room_url(self) -> str:
        """Where the page reads along."""
        return f"{self.url}#call={ROOM}"

    @asynccontextmanager
    async def served(self, *, lasting: bool = False) -> AsyncIterator["Captioned"]:
        """Serve inside of the context, with the call in it.

        Args:
            lasting: Whether the call goes on afterwards.
        """
        rooms = FakeRooms()
        await rooms.enable(ROOM)
        services = Services(feeds=self.feeds)
        app = make_app({"default": rooms}, self.settings, Metrics(), services=services)
        async with serve(app, Bind("127.0.0.1", self.port)) as self.port:
            with nullcontext() if lasting else self.feeds.listed(self.feed):
                yield self

    def say(
        self, text: str, speaker: Speaker = ADA, language: str = "en", utterance: str = ""
    ) -> None:
        """Say something for good."""
        number = next(self._numbers)
        start = number * 2.0
        self.feed.publish(
            Final(utterance or f"u{number}", text, (), speaker, language, start, start + 1)
        )

    def murmur(self, utterance: str, text: str, speaker: Speaker = ADA) -> None:
        """Begin to say something, or take it back."""
        self.feed.publish(Interim(utterance, text, speaker, "en", 1.0))

    def lose(self, seconds: float | None) -> None:
        """Lose words; None while it goes on."""
        end = None if seconds is None else 5.0 + seconds
        self.feed.publish(Gap("g", "network", 5.0, end, seconds or 0.0, ADA))
