"""Tests of `livebot.rooms.delivery`.

Spec: caption-delivery/Confirmation
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.delivery import IN_FLIGHT, RETURN_S, Delivery
from livebot.rooms.outbox import LIMIT, Outgoing
from livebot.rooms.readers import ALL_READERS, Audience, Reader
from livebot.signaling.messages import Transcript
from livebot.signaling.receipts import Receipt, Receipts

pytestmark = pytest.mark.virtual_time

ALICE, BOB, CAROL = SessionId("alice"), SessionId("bob"), SessionId("carol")
TAKE_S = 0.1
CONFIRM_S = 0.2


@dataclass(slots=True)
class Channel:
    """A connection that takes and confirms in its time, until the test cuts it.

    `read` is what the server has read, `taken` also what the socket swallowed.
    """

    read: list[tuple[list[SessionId], str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    is_stuck: bool = False
    is_up: bool = True
    _receipts: Receipts = field(default_factory=Receipts)
    _sending: list[tuple[list[SessionId], str]] = field(default_factory=list)
    _number: int = 0

    def send_caption(self, readers: list[SessionId], caption: Transcript) -> Receipt:
        """Take a caption over, unless there is no connection."""
        if not self.is_up:
            return self._receipts.new(is_lost=True)
        self._sending.append((readers, caption.text))
        loop = asyncio.get_running_loop()
        loop.call_later(TAKE_S, self._take, self._number)
        loop.call_later(TAKE_S + CONFIRM_S, self._confirm, self._number)
        return self._receipts.new()

    def cut(self) -> None:
        """Lose the connection, and what is not confirmed."""
        self.is_up = False
        self._number += 1
        self._sending.clear()
        self._receipts.lose()

    def join(self, delivery: Delivery) -> None:
        """Connect again, and know at once who is in the call."""
        self.is_up = True
        self.is_stuck = False
        delivery.told.set()

    def _take(self, number: int) -> None:
        if number == self._number:
            self.taken.append(self._sending[self._receipts.taken][1])
            self._receipts.take(1)

    def _confirm(self, number: int) -> None:
        if number == self._number and not self.is_stuck:
            self.read.append(self._sending.pop(0))
            self._receipts.confirm(1)


def _delivery(
    channel: Channel, readers: list[SessionId], metrics: Metrics, *, notices: bool = True
) -> Delivery:
    return Delivery(
        channel,
        readers=lambda: [Reader(session, "append") for session in readers],
        clock=RoomClock(),
        metrics=metrics,
        notices=notices,
    )


@asynccontextmanager
async def running(
    channel: Channel, readers: list[SessionId], *, notices: bool = True
) -> AsyncIterator[Delivery]:
    """Run a delivery that knows who is in the call; at the end it must finish by itself."""
    delivery = _delivery(channel, readers, Metrics(), notices=notices)
    delivery.told.set()
    async with asyncio.timeout(3600), asyncio.TaskGroup() as group:
        group.create_task(delivery.run())
        yield delivery
        delivery.close()


def put(delivery: Delivery, session: SessionId, caption: Caption | Gap) -> None:
    """Have a caption, or a gap, sent as the room does."""
    audience = ALL_READERS if isinstance(caption, Gap) else Audience("append", "en")
    delivery.put(Outgoing(session, caption, "en", audience))


def _texts(channel: Channel) -> list[str]:
    return [text for _, text in channel.read]


def _final(text: str, at: float = 0.0) -> Caption:
    return Caption(text, final=True, start=at, end=at + 1.0)


async def test_captions_wait_until_it_is_known_who_is_in_the_call() -> None:
    """Then they go, in order, to those who are there."""
    channel, readers = Channel(), [BOB]
    async with running(channel, readers) as delivery:
        delivery.told.clear()
        for text in ("one", "two"):
            put(delivery, ALICE, _final(text))
        await asyncio.sleep(10)
        assert channel.taken == []
        readers[:] = [BOB, CAROL]
        delivery.told.set()

    assert channel.read == [([BOB, CAROL], "one"), ([BOB, CAROL], "two")]


async def test_what_the_socket_swallowed_is_sent_again() -> None:
    """In its order and before what came later, to those who are there by then."""
    channel, readers = Channel(is_stuck=True), [BOB]
    async with running(channel, readers) as delivery:
        for text in ("one", "two", "three"):
            put(delivery, ALICE, _final(text))
        await asyncio.sleep(5)
        assert channel.taken == ["one", "two", "three"]
        channel.cut()
        put(delivery, ALICE, _final("four"))
        await asyncio.sleep(5)
        assert channel.read == []
        readers[:] = [CAROL]
        channel.join(delivery)

    assert channel.read == [([CAROL], text) for text in ("one", "two", "three", "four")]
    assert delivery.sent == 4


@pytest.mark.parametrize(
    ("back_after_s", "expected"), [(30.0, ["one", "two", "later"]), (RETURN_S + 30.0, ["later"])]
)
async def test_after_a_restart_captions_wait_for_people(
    back_after_s: float, expected: list[str]
) -> None:
    """The server knows nobody until they come back; they missed nothing, a late guest all."""
    channel, readers = Channel(is_stuck=True), [BOB]
    async with running(channel, readers) as delivery:
        put(delivery, ALICE, _final("one"))
        await asyncio.sleep(1)
        channel.cut()
        readers.clear()
        delivery.expect_return()
        await asyncio.sleep(1)
        channel.join(delivery)
        put(delivery, ALICE, _final("two"))
        await asyncio.sleep(back_after_s)
        assert channel.read == []
        readers.append(CAROL)
        put(delivery, ALICE, _final("later"))

    assert channel.read == [([CAROL], text) for text in expected]


@pytest.mark.parametrize(("late_s", "expected"), [(2.0, [BOB, CAROL]), (20.0, [BOB])])
async def test_who_comes_back_first_does_not_read_alone(
    late_s: float, expected: list[SessionId]
) -> None:
    """People come back one by one; those who were there are waited for, but not for long."""
    channel, readers = Channel(is_stuck=True), [BOB, CAROL]
    async with running(channel, readers) as delivery:
        put(delivery, ALICE, _final("one"))
        await asyncio.sleep(1)
        channel.cut()
        delivery.expect_return()
        readers.clear()
        await asyncio.sleep(1)
        channel.join(delivery)
        await asyncio.sleep(1)
        readers.append(BOB)
        await asyncio.sleep(late_s)
        readers.append(CAROL)

    assert channel.read == [(expected, "one")]


async def test_a_confirmed_caption_is_never_sent_again() -> None:
    """Nobody reads twice what arrived before the cut."""
    channel = Channel()
    async with running(channel, [BOB]) as delivery:
        put(delivery, ALICE, _final("one"))
        await asyncio.sleep(5)
        channel.cut()
        channel.join(delivery)
        put(delivery, ALICE, _final("two"))

    assert _texts(channel) == ["one", "two"]


async def test_a_partial_that_was_lost_is_not_sent_again_where_there_is_a_newer_one() -> None:
    """Readers get the newest version of a sentence, and every final."""
    channel = Channel(is_stuck=True)
    async with running(channel, [BOB]) as delivery:
        put(delivery, ALICE, _final("before"))
        await asyncio.sleep(1)
        put(delivery, ALICE, Caption("one", final=False))
        await asyncio.sleep(1)
        channel.cut()
        await asyncio.sleep(1)
        put(delivery, ALICE, Caption("one two", final=False))
        channel.join(delivery)

    assert _texts(channel) == ["before", "one two"]


@pytest.mark.parametrize("seed", range(20))
async def test_no_cut_loses_or_turns_a_caption(seed: int) -> None:
    """Over random cuts every final is read, in order but for what is read twice."""
    dice = random.Random(seed)
    channel = Channel()
    async with running(channel, [BOB]) as delivery:
        for number in range(100):
            put(delivery, ALICE, _final(f"{number:03}"))
            await asyncio.sleep(dice.choice([0, 0, 0.05, 0.3]))
            if dice.random() < 0.2:
                channel.cut()
                await asyncio.sleep(dice.random())
                channel.join(delivery)

    assert _texts(channel) == [f"{number:03}" for number in range(100)]


async def test_unconfirmed_captions_are_bounded() -> None:
    """A server that confirms nothing is sent no more than a window; the rest waits."""
    channel = Channel(is_stuck=True)
    async with running(channel, [BOB]) as delivery:
        for number in range(IN_FLIGHT + 10):
            put(delivery, ALICE, _final(str(number)))
        await asyncio.sleep(60)
        assert len(channel.taken) == IN_FLIGHT
        assert delivery.waiting == IN_FLIGHT + 10
        channel.cut()
        await asyncio.sleep(1)
        channel.join(delivery)

    assert len(channel.read) == IN_FLIGHT + 10


async def test_closing_takes_no_longer_than_a_confirmation() -> None:
    """Where nothing is wrong, the end waits for the last pong only."""
    loop = asyncio.get_running_loop()
    async with running(Channel(), [BOB]) as delivery:
        put(delivery, ALICE, _final("one"))
        began = loop.time()

    assert loop.time() - began == pytest.approx(TAKE_S + CONFIRM_S)


async def test_closing_where_nobody_was_ever_told_ends_at_once() -> None:
    """Nothing waits, so nothing is waited for."""
    delivery = _delivery(Channel(), [BOB], Metrics())
    delivery.close()

    async with asyncio.timeout(0.01):
        await delivery.run()


async def test_the_delay_of_a_caption_is_measured_on_the_rooms_time() -> None:
    """From the end of its last word to the socket; that of a translation is another matter."""
    metrics = Metrics()
    delivery = _delivery(Channel(), [BOB], metrics)
    delivery.told.set()
    await asyncio.sleep(5)
    caption = Caption("one", final=True, start=3.0, end=4.0)
    put(delivery, ALICE, caption)
    delivery.put(Outgoing(ALICE, caption, "fr", Audience(is_spoken=False)))
    delivery.close()

    await delivery.run()

    assert metrics.registry.get_sample_value("transcription_latency_seconds_count") == 1
    measured = metrics.registry.get_sample_value("transcription_latency_seconds_sum")
    assert measured == pytest.approx(1.0 + TAKE_S)


async def test_captions_are_counted_when_they_have_arrived() -> None:
    """Once each, however often they were sent."""
    channel, metrics = Channel(is_stuck=True), Metrics()
    delivery = _delivery(channel, [BOB], metrics)
    delivery.told.set()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(delivery.run())
        put(delivery, ALICE, _final("one"))
        await asyncio.sleep(5)
        channel.cut()
        await asyncio.sleep(1)
        channel.join(delivery)
        delivery.close()

    counted = metrics.registry.get_sample_value(
        "transcription_transcripts_total", {"final": "true"}
    )
    assert (counted, delivery.sent) == (1, 1)


async def test_captions_dropped_in_a_long_outage_are_told() -> None:
    """The oldest of too many go; a notice in their place says for how long, and a counter."""
    channel, metrics = Channel(), Metrics()
    delivery = _delivery(channel, [BOB], metrics)
    async with asyncio.timeout(3600), asyncio.TaskGroup() as group:
        group.create_task(delivery.run())
        for number in range(LIMIT + 7):
            put(delivery, ALICE, _final(str(number), at=float(number)))
        delivery.told.set()
        delivery.close()

    assert _texts(channel)[:2] == ["[captions interrupted 7 s]", "7"]
    assert len(channel.read) == LIMIT + 1
    counted = metrics.registry.get_sample_value(
        "transcription_gap_seconds_total", {"cause": "signaling"}
    )
    assert counted == pytest.approx(7.0)


async def test_a_gap_is_told_in_its_place() -> None:
    """After the words before it and before those after it; while it goes on, and when over."""
    channel = Channel()
    async with running(channel, [BOB]) as delivery:
        put(delivery, ALICE, _final("before"))
        put(delivery, ALICE, Gap(Cause.ENGINE, 5.0, None, 4.0))
        await asyncio.sleep(8)
        put(delivery, ALICE, Gap(Cause.ENGINE, 5.0, 17.0, 12.0))
        put(delivery, ALICE, _final("after"))

    assert _texts(channel) == [
        "before",
        "[captions interrupted]",
        "[captions interrupted 12 s]",
        "after",
    ]
    assert delivery.sent == 2


async def test_a_gap_that_grew_while_it_waited_is_told_once() -> None:
    """Nobody reads that captions are interrupted when they no longer are."""
    channel = Channel()
    async with running(channel, [BOB]) as delivery:
        delivery.told.clear()
        for lost_s in range(3, 600, 5):
            put(delivery, ALICE, Gap(Cause.MEDIA, 5.0, None, float(lost_s)))
        put(delivery, ALICE, Gap(Cause.MEDIA, 5.0, 600.0, 595.0))
        delivery.told.set()

    assert _texts(channel) == ["[captions interrupted 10 min]"]


async def test_an_outage_of_many_speakers_is_told_each_reader_once() -> None:
    """And to the first speaker in the name of the next, as nobody sees his own."""
    channel = Channel()
    people = [SessionId(f"p{n}") for n in range(30)]
    async with running(channel, people) as delivery:
        for speaker in people:
            put(delivery, speaker, Gap(Cause.MEDIA, 5.0, 17.0, 12.0))

    (first, _), (second, _) = channel.read
    assert first == people
    assert second == [people[0]]


async def test_a_notice_that_was_lost_is_sent_again() -> None:
    """Even though readers seemed to have been told."""
    channel = Channel(is_stuck=True)
    async with running(channel, [BOB]) as delivery:
        put(delivery, ALICE, Gap(Cause.MEDIA, 5.0, 17.0, 12.0))
        await asyncio.sleep(1)
        channel.cut()
        await asyncio.sleep(1)
        channel.join(delivery)

    assert _texts(channel) == ["[captions interrupted 12 s]"]


async def test_notices_can_be_switched_off() -> None:
    """Then words only, even where captions had to be dropped."""
    channel = Channel()
    async with running(channel, [BOB], notices=False) as delivery:
        delivery.told.clear()
        put(delivery, ALICE, Gap(Cause.MEDIA, 5.0, 17.0, 12.0))
        for number in range(LIMIT + 7):
            put(delivery, ALICE, _final(str(number)))
        delivery.told.set()

    assert _texts(channel) == [str(number) for number in range(7, LIMIT + 7)]
