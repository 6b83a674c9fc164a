"""Tests of `livebot.rooms.speaker`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import numpy as np
import pytest

from livebot.hearing.recognition import RecognitionOptions
from livebot.ids import SessionId
from livebot.media.ice import IcePolicy
from livebot.media.peer import Frame
from livebot.metrics import Metrics
from livebot.rooms import reception
from livebot.rooms.clock import RoomClock
from livebot.rooms.reception import ReceptionOptions
from livebot.rooms.speaker import Speaker, SpeakerOptions
from livebot.rooms.talk import FixedTalkSettings
from livebot.rooms.voice import Nobody
from livebot.signaling.events import CandidateFound, Offered
from tests.support.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.virtual_time

ALICE = SessionId("alice")
OPTIONS = SpeakerOptions(
    reception=ReceptionOptions(
        chunk_ms=200, ice_servers=FixedTalkSettings("").ice_servers, ice_policy=IcePolicy.ALL
    ),
    recognition=RecognitionOptions(language="en"),
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


class SlowToClose:
    """A peer that delivers a second and a bit at once, and closes as with a dead TURN server."""

    has_ended = False

    def __init__(self) -> None:
        self.connected, self.ended = asyncio.Event(), asyncio.Event()
        self._numbers = iter(range(55))

    @classmethod
    @asynccontextmanager
    async def open(cls, *_: object) -> AsyncIterator[Self]:
        """Stand in for `open_peer()`."""
        try:
            yield cls()
        finally:
            await asyncio.sleep(60)

    async def answer(self, _offer: str) -> str:
        """Be content."""
        return "v=0"

    async def receive(self) -> Frame:
        """Return the next frame; wait after the last."""
        for number in self._numbers:
            return Frame(np.full(960, 0.5, np.float32), number * 960)
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits so long")


def _speaker(
    subscription: Subscription | None = None, engine: ScriptedEngine | None = None
) -> Speaker:
    return Speaker(
        ALICE,
        OPTIONS,
        engine=engine or ScriptedEngine(),
        subscription=subscription or Subscription(),
        clock=RoomClock(),
        on_caption=lambda _session, _caption: None,
        listener=Nobody(),
        metrics=Metrics(),
    )


async def test_who_leaves_before_anything_began_holds_up_nothing() -> None:
    """Coming and going may be told in one burst, before the speaker's first task has run."""
    speaker = _speaker()
    speaker.finish()

    async with asyncio.timeout(1):
        await speaker.run()


async def test_last_words_do_not_wait_for_the_peer_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was heard goes to the engine when a speaker leaves, to the last sample."""
    monkeypatch.setattr(reception, "open_peer", SlowToClose.open)
    engine = ScriptedEngine()
    speaker = _speaker(engine=engine)
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        group.create_task(speaker.run())
        speaker.deliver(Offered(ALICE, "1", "v=0"))
        stream = await engine.stream()
        await asyncio.sleep(0.1)
        speaker.finish()
        await asyncio.sleep(0.1)

        assert stream.is_finished
        assert stream.seconds == pytest.approx(55 * 0.02, abs=0.001)


async def test_a_flood_of_candidates_costs_no_offer() -> None:
    """The server sends an offer once; without it the speaker would stay unheard."""
    subscription = Subscription()
    speaker = _speaker(subscription)
    for _ in range(200):
        speaker.deliver(CandidateFound(ALICE, "1", "x", "0", 0))
    speaker.deliver(Offered(ALICE, "1", "nonsense"))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(speaker.run())
        await asyncio.sleep(1)
        speaker.finish()

    assert subscription.lost == 1


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
