"""Tests of `livebot.rooms.speakers`."""

import asyncio

import pytest

from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms import reception
from livebot.rooms.clock import RoomClock
from livebot.rooms.speakers import Speakers
from livebot.signaling.events import Offered
from tests.support.scripted_engine import ScriptedEngine
from tests.unit.rooms.test_speaker import OPTIONS, SlowToClose

pytestmark = pytest.mark.virtual_time

ALICE, BOB, CAROL = (SessionId(name) for name in ("alice", "bob", "carol"))


class Subscriptions:
    """What is asked of the signaling conversation, and not looked at here."""

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Take an answer."""

    def subscription_lost(self, speaker: SessionId) -> None:
        """Take note."""

    def subscription_steady(self, speaker: SessionId) -> None:
        """Take note."""

    def subscribe(self, speaker: SessionId) -> None:
        """Take note."""

    def unsubscribe(self, speaker: SessionId) -> None:
        """Take note."""


async def test_everybody_changes_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who speak, those who come later; not those who have left in mid-sentence."""
    monkeypatch.setattr(reception, "open_peer", SlowToClose.open)
    engine = ScriptedEngine({"en": "English", "fr": "French"})
    engine.on_open = lambda stream: setattr(stream, "never_ends", True)
    speakers = Speakers(
        OPTIONS,
        engine=engine,
        subscriptions=Subscriptions(),
        clock=RoomClock(),
        on_caption=lambda _session, _caption: None,
        may_listen=lambda: True,
        metrics=Metrics(),
    )
    async with asyncio.timeout(600), speakers:
        speakers.follow(frozenset({ALICE, BOB}))
        for session in (ALICE, BOB):
            speakers.deliver(Offered(session, "1", "v=0"))
        of_alice, of_bob = [await engine.stream(number) for number in range(2)]
        speakers.follow(frozenset({ALICE}))
        speakers.set_language("fr")
        await asyncio.sleep(2)
        speakers.follow(frozenset({ALICE, CAROL}))
        speakers.deliver(Offered(CAROL, "1", "v=0"))
        of_carol = await engine.stream(2)
        of_alice.end()
        of_bob.end()
        again = await engine.stream(3)
        of_carol.end()
        again.end()

        spoken = [stream.language for stream in (of_alice, of_bob, of_carol, again)]
        assert spoken == ["en", "en", "fr", "fr"]
        assert await speakers.finish(300)
    assert len(engine.streams) == 4
