"""Tests of `livebot.rooms.inbox`."""

from livebot.rooms.inbox import LIMIT, OFFERS, OFFERS_PER_S, Inbox
from livebot.signaling.events import CandidateFound, Offered
from tests.support.scripted_media import SPEAKER

CANDIDATE = CandidateFound(SPEAKER, "1", "x", "0", 0)
OFFER = Offered(SPEAKER, "1", "v=0")


async def test_a_flood_of_candidates_is_bounded_and_costs_no_offer() -> None:
    """What does not fit is refused; an offer, which would not come again, still fits."""
    inbox = Inbox()

    assert sum(inbox.put(CANDIDATE, 0.0) for _ in range(1000)) == LIMIT
    assert inbox.put(OFFER, 0.0)
    await inbox.get()
    await inbox.get()
    assert inbox.put(CANDIDATE, 0.0)


async def test_offers_that_nobody_handles_are_bounded() -> None:
    """However slowly they come."""
    inbox = Inbox()

    assert sum(inbox.put(OFFER, number / OFFERS_PER_S) for number in range(1000)) == 2 * LIMIT


async def test_a_flood_of_offers_is_refused() -> None:
    """All but the first few, and then one now and again."""
    inbox = Inbox()

    assert sum(inbox.put(OFFER, 0.0) for _ in range(100)) == OFFERS
    assert inbox.put(OFFER, 1 / OFFERS_PER_S)
    assert not inbox.put(OFFER, 1 / OFFERS_PER_S)
