"""10,000 signaling messages that make no sense, into a room with media: it captions on.

Spec: signaling-session/Garbage
"""

import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

import psutil
import pytest
from structlog.testing import capture_logs

from livebot.ids import TalkSessionId
from livebot.rooms.readers import Wish
from livebot.rooms.status import RoomState
from tests.integration.test_rooms import ALICE, BOB, World, world
from tests.support import wire
from tests.support.scripted_engine import words
from tests.support.sender import loopback_only
from tests.support.signaling_fuzz import Frame, Fuzzer
from tests.support.waiting import until

MESSAGES = 10_000
BATCHES = 20
BATCH = MESSAGES // BATCHES
BURST, REST_S = 20, 0.01
WITHIN_S = 100.0
"""How long the room may take for all of them, with its reconnects."""

MOST_MIB = 4.0
"""Of the mean of the second half above that of the first. A leak of 1 KiB per message would be
5 MiB."""

BLOCKS_PER_MESSAGE = 0.3
"""As above. What a small object is to Python; one that each message left behind would be 1."""

ANNA, BEN = TalkSessionId("page-of-alice"), TalkSessionId("page-of-bob")
PEOPLE = (ALICE, BOB, *(f"person-{number}" for number in range(20)))
PAGES = (BEN, *(f"page-{number}" for number in range(20)))

INVALID_UTF_8 = b'{"type":"\xff\xfe"}'
BYE = '{"type":"bye","bye":{"reason":"x"}}'


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("livebot.signaling.client.MOST_DELAY_S", 0.1)
    with loopback_only():
        yield


@pytest.mark.timeout(120)
async def test_ten_thousand_messages() -> None:
    """No crash, nothing left behind, memory flat; then the right reader reads, and nobody else."""
    fuzzer, memory = Fuzzer(0, people=PEOPLE, pages=PAGES), Memory()
    async with world() as it:
        await it.manager.add_reader(wire.ROOM, ANNA, Wish())
        await it.server.wait_for("room")
        await heard(it)
        happened: Counter[str] = Counter()
        begun, before = time.monotonic(), len(asyncio.all_tasks())
        for number in range(BATCHES):
            with capture_logs() as logged:
                await flood(it, [fuzzer.frame() for _ in range(BATCH)])
                await cut(it)
            assert not [line for line in logged if line["log_level"] == "error"], logged
            happened.update(line["event"] for line in logged)
            if number % 5 == 4:
                await heard(it)
            forget(it)
            memory.measure()
        took_s = time.monotonic() - begun
        await until(lambda: len(asyncio.all_tasks()) <= before)

    print(f"{took_s:.1f} s, {memory.more_mib:+.1f} MiB, {memory.more_blocks:+.0f} blocks")  # noqa: T201
    assert took_s < WITHIN_S
    # Enough of it was understood.
    assert happened["speaker_started"] > 200, happened
    assert happened["room_switched"] > 10, happened
    assert memory.more_mib < MOST_MIB, memory.mib
    assert memory.more_blocks < BLOCKS_PER_MESSAGE * MESSAGES / 2, memory.blocks


async def flood(it: World, frames: list[Frame]) -> None:
    """Send messages, and wait until they have been taken in."""
    for stream in it.engine.streams:
        stream.say(*words("meanwhile"))
    for number, frame in enumerate(frames):
        await it.server.connections[-1].send(frame)
        if number % BURST == 0:
            # What comes while the bot changes the room is not even looked at.
            await asyncio.sleep(REST_S)
    await told(it)


def forget(it: World) -> None:
    """Forget what the test has of it, having seen who read what there was to read."""
    assert {reader for reader, _ in it.transcripts()} <= {ALICE}
    it.server.received.clear()
    it.engine.streams.clear()
    del it.server.connections[:-1]


async def cut(it: World) -> None:
    """End the connection in three ways, one after the other; the room comes back each time."""
    for frame in (INVALID_UTF_8, BYE, None):
        number = len(it.server.connections)
        if frame is None:
            await it.server.drop()
        else:
            await it.server.connections[-1].send(frame, text=True)
        while len(it.server.connections) == number:  # noqa: ASYNC110 - has no event
            await asyncio.sleep(0.02)
        await it.wait_for_room(RoomState.JOINED)
        await told(it)


async def told(it: World) -> None:
    """Say that nobody reads in the call, and then that one does, until it is understood.

    What is said while the bot is on its way to another room is lost, as it should be.
    """
    for flags in (0, 3):
        async with asyncio.timeout(10):
            await tell(it, flags)
            while it.manager.rooms()[0].readers != bool(flags):
                await asyncio.sleep(0.02)
                await tell(it, flags)


async def tell(it: World, flags: int) -> None:
    """Say that Alice, who has asked, is in the call in this way, and Bob, who has not."""
    alice = {"sessionId": ALICE, "inCall": flags, "nextcloudSessionId": ANNA}
    bob = {"sessionId": BOB, "inCall": 1, "nextcloudSessionId": BEN}
    await it.server.send(wire.event("participants", "update", users=[alice, bob]))


async def heard(it: World) -> None:
    """Begin a new session, and say something with real media: who asked reads it, nobody else."""
    forget(it)
    await it.stack.aclose()  # who spoke before
    it.server.resumable = False
    await it.server.drop()
    await it.server.wait_for("room")
    it.server.resumable = True
    await told(it)
    await it.publish(ALICE, sid="99")
    stream = await it.engine.stream()
    stream.say(*words("still here."))
    await until(lambda: (ALICE, "still here.") in read(it))
    assert {reader for reader, _ in read(it)} == {ALICE}


def read(it: World) -> list[tuple[str, str]]:
    """Return what was read: by whom, and what."""
    return [(reader, data["message"]) for reader, data in it.transcripts()]


class Memory:
    """This process's memory, batch by batch."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.mib: list[float] = []
        self.blocks: list[int] = []

    def measure(self) -> None:
        """Take another reading."""
        gc.collect()
        self.blocks.append(sys.getallocatedblocks())
        self.mib.append(self._process.memory_info().rss / (1 << 20))

    @property
    def more_mib(self) -> float:
        """Return by how much the second half is above the first."""
        return _growth(self.mib)

    @property
    def more_blocks(self) -> float:
        """Return the same of Python's blocks."""
        return _growth(self.blocks)


def _growth(values: Sequence[float]) -> float:
    half = len(values) // 2
    return fmean(values[half:]) - fmean(values[:half])
