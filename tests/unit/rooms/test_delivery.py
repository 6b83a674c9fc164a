"""Tests of `livebot.rooms.delivery`."""

import asyncio
from dataclasses import dataclass, field

import pytest

from livebot.captions.caption import Caption
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.delivery import Delivery
from livebot.signaling.messages import Transcript

pytestmark = pytest.mark.virtual_time

ALICE, BOB, CAROL = SessionId("alice"), SessionId("bob"), SessionId("carol")


@dataclass(slots=True)
class Channel:
    """A socket that takes what the test says it takes."""

    losses: int = 0
    taken: list[tuple[list[SessionId], str]] = field(default_factory=list)

    async def send_caption(self, readers: list[SessionId], caption: Transcript) -> bool:
        """Take a caption, unless the connection is to be lost under it."""
        await asyncio.sleep(0.1)
        if self.losses:
            self.losses -= 1
            return False
        self.taken.append((readers, caption.text))
        return True


def _delivery(channel: Channel, readers: list[SessionId], metrics: Metrics) -> Delivery:
    return Delivery(
        channel, readers=lambda: list(readers), language="en", clock=RoomClock(), metrics=metrics
    )


async def test_captions_wait_until_it_is_known_who_is_in_the_call() -> None:
    """Then they go, in order, to those who are there."""
    channel, readers = Channel(), [BOB]
    delivery = _delivery(channel, readers, Metrics())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(delivery.run())
        for text in ("one", "two"):
            delivery.put(ALICE, Caption(text, final=True))
        await asyncio.sleep(10)
        assert channel.taken == []
        readers[:] = [BOB, CAROL]
        delivery.told.set()
        delivery.close()

    assert channel.taken == [([BOB, CAROL], "one"), ([BOB, CAROL], "two")]


async def test_a_caption_whose_connection_dies_is_sent_again() -> None:
    """To those who are there by then; it is counted once."""
    channel, metrics = Channel(losses=2), Metrics()
    delivery = _delivery(channel, [BOB], metrics)
    delivery.told.set()
    delivery.put(ALICE, Caption("one", final=True))
    delivery.close()

    await delivery.run()

    assert channel.taken == [([BOB], "one")]
    assert delivery.sent == 1
    counted = metrics.registry.get_sample_value(
        "transcription_transcripts_total", {"final": "true"}
    )
    assert counted == 1


async def test_the_delay_of_a_caption_is_measured_on_the_rooms_time() -> None:
    """From the end of its last word to the socket."""
    metrics = Metrics()
    delivery = _delivery(Channel(), [BOB], metrics)
    delivery.told.set()
    await asyncio.sleep(5)
    delivery.put(ALICE, Caption("one", final=True, start=3.0, end=4.0))
    delivery.close()

    await delivery.run()

    measured = metrics.registry.get_sample_value("transcription_latency_seconds_sum")
    assert measured == pytest.approx(1.1)
