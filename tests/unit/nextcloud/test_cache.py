"""One value from far away."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import NextcloudError
from livebot.nextcloud.cache import REFUSED_REST_S, REST_S, Cache, Kept
from livebot.nextcloud.ocs import AnswerError
from tests.support.virtual_time import VirtualTimeLoop

FRESH_S, HOLDS_S, WITHIN_S = 100.0, 1000.0, 3.0


@dataclass
class Source:
    """Tells how often it was asked, and when it did.

    Attributes:
        takes_s: How long it takes.
        fault: What it raises, if anything.
        told_at: When each answer was given.
        asked: How often it was asked.
    """

    takes_s: float = 0.0
    fault: NextcloudError | None = None
    told_at: list[float] = field(default_factory=list)
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def fetch(self) -> Kept[int]:
        """Answer with the number of the answer."""
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        if self.fault:
            raise self.fault
        self.told_at.append(asyncio.get_running_loop().time())
        return Kept(len(self.told_at) - 1, FRESH_S, HOLDS_S)

    def cache(self) -> Cache[int]:
        """Return a cache of it."""
        return Cache(self.fetch, "numbers", WITHIN_S)


STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 7.0, 60.0, 99.9, 100.1, 600.0, 1001.0]), st.booleans()),
    max_size=12,
)


@given(STEPS)
def test_laws_of_the_cache(steps: list[tuple[float, bool]]) -> None:
    """A value that comes holds; a fresh one is not asked for again; a fault needs a fault."""
    source = Source()

    async def use() -> None:
        cache, loop = source.cache(), asyncio.get_running_loop()
        for pause_s, works in steps:
            await asyncio.sleep(pause_s)
            source.fault = None if works else NextcloudError("away")
            asked = source.asked
            age_s = loop.time() - source.told_at[-1] if source.told_at else HOLDS_S
            try:
                value = await cache.get()
            except NextcloudError:
                # Never while there is a value that holds.
                assert age_s >= HOLDS_S
            else:
                assert value == len(source.told_at) - 1
                assert loop.time() - source.told_at[-1] < HOLDS_S
            if age_s < FRESH_S:
                assert source.asked == asked

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(use())


@pytest.mark.virtual_time
async def test_one_asks_for_all() -> None:
    """Whoever comes while one is asking gets what that one gets."""
    source = Source(takes_s=1.0)
    cache = source.cache()

    values = await asyncio.gather(*(cache.get() for _ in range(50)))

    assert values == [0] * 50
    assert source.asked == 1


@pytest.mark.virtual_time
async def test_one_fault_is_enough_for_all() -> None:
    """Nobody waits for a dead server behind somebody who found it dead."""
    source = Source(takes_s=2.0, fault=NextcloudError("away"))
    cache, loop = source.cache(), asyncio.get_running_loop()

    found = await asyncio.gather(*(cache.get() for _ in range(50)), return_exceptions=True)

    assert [str(exc) for exc in found] == ["away"] * 50
    assert len({id(exc) for exc in found}) == 50
    assert (source.asked, loop.time()) == (1, 2.0)


@pytest.mark.virtual_time
async def test_cancelled_asker_is_replaced() -> None:
    """Who gives up takes nothing from the others; nobody waits longer than the deadline."""
    source = Source(takes_s=2.0)
    cache, loop = source.cache(), asyncio.get_running_loop()
    first = asyncio.create_task(cache.get())
    await asyncio.sleep(0.5)
    second = asyncio.create_task(cache.get())
    await asyncio.sleep(0.2)

    first.cancel()

    assert await second == 0
    assert (source.asked, source.most_at_once, loop.time()) == (2, 1, 2.7)


@pytest.mark.virtual_time
async def test_nobody_waits_longer_than_the_deadline() -> None:
    """Even where those before give up one after the other."""
    source = Source(takes_s=2.5)
    cache, loop = source.cache(), asyncio.get_running_loop()
    first = asyncio.create_task(cache.get())
    await asyncio.sleep(0)
    last = asyncio.create_task(cache.get())
    await asyncio.sleep(2.0)

    first.cancel()

    with pytest.raises(NextcloudError, match="in time"):
        await last
    assert loop.time() == WITHIN_S


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("fault", "rest_s"),
    [(NextcloudError("away"), REST_S), (AnswerError(401), REFUSED_REST_S)],
)
async def test_rests_after_a_fault(fault: NextcloudError, rest_s: float) -> None:
    """Not before its end, and at its end; longer where Nextcloud slows down who fails often."""
    source = Source(fault=fault)
    cache = source.cache()
    for _ in range(3):
        with pytest.raises(NextcloudError):
            await cache.get()
    assert source.asked == 1

    await asyncio.sleep(rest_s - 0.01)
    with pytest.raises(NextcloudError):
        await cache.get()
    assert source.asked == 1
    await asyncio.sleep(0.01)
    source.fault = None

    assert await cache.get() == 0


@pytest.mark.virtual_time
async def test_forgotten_value_is_asked_for() -> None:
    """What is known to be wrong is not told again."""
    source = Source()
    cache = source.cache()
    await cache.get()

    cache.forget()

    assert await cache.get() == 1
