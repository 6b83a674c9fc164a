"""Audio on its way to an engine."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, silence
from livebot.audio.pipeline import Chunk
from livebot.hearing.backlog import Backlog


def chunk(number: int, ms: int = 200) -> Chunk:
    """Return a chunk that can be told by its start."""
    return Chunk(silence(RATE_HZ * ms // 1000), float(number))


async def rest(backlog: Backlog) -> list[float]:
    """Close and return the starts of all chunks that were left."""
    backlog.close()
    starts = []
    while (each := await backlog.get()) is not None:
        starts.append(each.start)
    return starts


def make(limit_s: float = 1.0) -> tuple[Backlog, list[float]]:
    """Return a backlog and the list of the seconds it reports as dropped."""
    dropped: list[float] = []
    return Backlog(limit_s, lambda chunk: dropped.append(chunk.seconds)), dropped


async def test_chunks_come_out_in_order() -> None:
    """First in, first out, and the end after the last."""
    backlog, dropped = make()
    for number in range(3):
        backlog.put(chunk(number))

    assert backlog.seconds == pytest.approx(0.6)
    assert await rest(backlog) == [0.0, 1.0, 2.0]
    assert (backlog.seconds, dropped) == (0.0, [])


@given(
    st.integers(0, 2000), st.lists(st.sampled_from([10, 80, 200, 700]), min_size=1, max_size=30)
)
def test_the_oldest_go_first(limit_ms: int, lengths_ms: list[int]) -> None:
    """What stays is the newest within the limit, at least one; the rest is reported."""
    backlog, dropped = make(limit_ms / 1000)

    for number, ms in enumerate(lengths_ms):
        backlog.put(chunk(number, ms))
        assert backlog.seconds <= max(limit_ms, ms) / 1000 + 1e-9

    left = asyncio.run(rest(backlog))
    count = len(lengths_ms)
    assert left == [float(number) for number in range(count - len(left), count)]
    assert left
    gone = sum(lengths_ms[: count - len(left)]) / 1000
    assert sum(dropped) == pytest.approx(gone)
    assert all(dropped)


async def test_get_waits_for_a_chunk() -> None:
    """Whoever waits is woken by the next chunk, each time anew."""
    backlog, _ = make()
    for number in range(2):
        async with asyncio.TaskGroup() as group:
            getting = group.create_task(backlog.get())
            await asyncio.sleep(0)
            assert not getting.done()
            backlog.put(chunk(number))

        got = getting.result()
        assert got is not None
        assert got.start == number


async def test_cancelling_get_loses_nothing() -> None:
    """Not even when a chunk came just before."""
    backlog, _ = make()
    getting = asyncio.create_task(backlog.get())
    await asyncio.sleep(0)

    backlog.put(chunk(1))
    getting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await getting

    assert await rest(backlog) == [1.0]


async def test_close_ends_a_waiting_get() -> None:
    """Nobody waits for a closed backlog; what comes after is ignored."""
    backlog, dropped = make()
    async with asyncio.TaskGroup() as group:
        getting = group.create_task(backlog.get())
        await asyncio.sleep(0)
        backlog.close()
        backlog.close()

    backlog.put(chunk(1))
    assert getting.result() is None
    assert backlog.closed.is_set()
    assert await backlog.get() is None
    assert (backlog.seconds, dropped) == (0.0, [])
