"""Tests of `livebot.rooms.speaker`."""

import asyncio

import pytest

from livebot.ids import SessionId
from livebot.media.ice import IcePolicy
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.reception import ReceptionOptions
from livebot.rooms.recognition import RecognitionOptions
from livebot.rooms.speaker import Speaker, SpeakerOptions
from livebot.signaling.events import Offered
from tests.support.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.virtual_time

ALICE = SessionId("alice")
OPTIONS = SpeakerOptions(
    reception=ReceptionOptions(chunk_ms=200, ice_servers=(), ice_policy=IcePolicy.ALL),
    recognition=RecognitionOptions(engine="scripted", language="en", caption_mode="append"),
    backlog_s=120,
)


class Subscription:
    """Notes what is asked of the signaling conversation."""

    def __init__(self) -> None:
        self.lost = 0

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Take an answer."""

    def subscription_lost(self, speaker: SessionId) -> None:
        """Count a loss."""
        assert speaker == ALICE
        self.lost += 1

    def subscription_steady(self, speaker: SessionId) -> None:
        """Take note."""


def _speaker(subscription: Subscription | None = None) -> Speaker:
    return Speaker(
        ALICE,
        OPTIONS,
        engine=ScriptedEngine(),
        subscription=subscription or Subscription(),
        clock=RoomClock(),
        on_caption=lambda _session, _caption: None,
        metrics=Metrics(),
    )


async def test_who_leaves_before_anything_began_holds_up_nothing() -> None:
    """Coming and going may be told in one burst, before the speaker's first task has run."""
    speaker = _speaker()
    speaker.finish()

    async with asyncio.timeout(1):
        await speaker.run()


async def test_a_broken_offer_is_asked_for_again() -> None:
    """The fault is shown, and the subscription is reported lost."""
    subscription = Subscription()
    speaker = _speaker(subscription)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(speaker.run())
        speaker.deliver(Offered(ALICE, "1", "nonsense"))
        await asyncio.sleep(1)
        speaker.finish()

    assert subscription.lost == 1
    assert speaker.status("Alice").last_error
    assert speaker.status("Alice").media == "waiting"


async def test_a_flood_of_offers_is_bounded() -> None:
    """What does not fit is dropped and said so; nothing grows."""
    speaker = _speaker()
    for number in range(1000):
        speaker.deliver(Offered(ALICE, str(number), "nonsense"))

    assert "too many" in (speaker.status("").last_error or "")
