"""Tests of `livebot.signaling.receipts`."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from livebot.signaling.receipts import Receipts

STEPS = st.lists(st.tuples(st.sampled_from(["new", "take", "confirm", "lose"]), st.integers(0, 5)))


@given(STEPS)
def test_each_caption_is_told_its_fate_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    """Confirmed are the oldest of those taken, lost is all that was not confirmed."""

    async def scenario() -> None:
        receipts = Receipts()
        made, fates = [], list[bool | None]()
        taken = confirmed = 0
        for step, count in steps:
            if step == "new":
                made.append(receipts.new())
                fates.append(None)
            elif step == "take":
                some = min(count, len(made) - taken)
                receipts.take(some)
                taken += some
            elif step == "confirm":
                some = min(count, taken - confirmed)
                receipts.confirm(some)
                fates[confirmed : confirmed + some] = [True] * some
                confirmed += some
            else:
                receipts.lose()
                fates[confirmed:] = [False] * (len(made) - confirmed)
                taken = confirmed = len(made)
            assert receipts.owed.is_set() == (taken > confirmed)
            assert (receipts.taken, receipts.waiting) == (taken - confirmed, len(made) - taken)
            assert [r.arrived.result() if r.arrived.done() else None for r in made] == fates
            assert [r.taken.done() for r in made] == [n < taken for n in range(len(made))]

    asyncio.run(scenario())


async def test_a_caption_that_cannot_be_sent_is_lost_at_once() -> None:
    """And takes no place among those on their way."""
    receipts = Receipts()

    receipt = receipts.new(is_lost=True)

    assert not await receipt.taken
    assert not await receipt.arrived
    assert receipts.waiting == 0


async def test_nobody_waits_any_more() -> None:
    """A waiter that was cancelled took its future along, which does no harm."""
    receipts = Receipts()
    receipt = receipts.new()
    receipt.taken.cancel()

    receipts.take(1)
    receipts.lose()

    assert not await receipt.arrived
