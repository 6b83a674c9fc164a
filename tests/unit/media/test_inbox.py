"""Tests of `livebot.media.inbox`."""

import asyncio

import numpy as np
import pytest

from livebot.media.frame import Frame
from livebot.media.inbox import LIMIT, Inbox

LENGTH = LIMIT // 10


def frames(count: int) -> list[Frame]:
    """Return frames of a tenth of what may wait, each missing ten samples before it."""
    return [Frame(np.zeros(LENGTH, dtype=np.float32), n * LENGTH, lost=10) for n in range(count)]


@pytest.mark.virtual_time
async def test_frames_come_out_in_order_and_then_the_end() -> None:
    """A reader that waits is woken by what comes, and by the end."""
    inbox = Inbox()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(inbox.get())
        await asyncio.sleep(1)
        inbox.put(frames(2))
    inbox.end()

    got = [reader.result(), await inbox.get()]
    assert [frame.pts for frame in got if frame is not None] == [0, LENGTH]
    assert await inbox.get() is None
    assert await inbox.get() is None


@pytest.mark.virtual_time
async def test_the_oldest_make_room_and_are_told_as_lost() -> None:
    """What a reader missed is on the first frame it gets; nothing is counted twice."""
    inbox = Inbox()
    for frame in frames(13):
        inbox.put([frame])
    inbox.end()

    kept = []
    while (frame := await inbox.get()) is not None:  # type: ignore[assignment]
        kept.append(frame)
    assert [frame.pts for frame in kept] == [n * LENGTH for n in range(3, 13)]
    assert [frame.lost for frame in kept] == [3 * (LENGTH + 10) + 10] + [10] * 9


@pytest.mark.virtual_time
async def test_a_cancelled_reader_takes_nothing_with_it() -> None:
    """What comes after is for the next reader."""
    inbox = Inbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await inbox.get()
    inbox.put(frames(1))

    assert await inbox.get() is not None
