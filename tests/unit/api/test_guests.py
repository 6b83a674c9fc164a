"""Those who show no key: tickets for one WebSocket, links to one transcript."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Middleware

from livebot.api.auth import _CALLER, GUESSES, guard, scope
from livebot.api.callers import ANONYMOUS, Caller
from livebot.api.tickets import LASTS_S, MOST, Tickets
from livebot.errors import QuotaError
from livebot.settings import load_settings
from livebot.store.records import Share
from tests.support.asking import CALLS, LIVE, ROUTES, SHARED, ask, bearer

KEY = "0123456789abcdef"
OPS = Caller("ops", None)
LINK = Share(id="s1", kind="transcript", target="t", expires_at=0.0, owner="ops")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time


async def _find(token: str) -> Share | None:
    return LINK if token == "right" else None


async def door(tickets: Tickets | None = None) -> Middleware:
    """Return the guard of a service with one key, open to others."""
    found = await asyncio.to_thread(
        lambda: load_settings(host="0.0.0.0", api_keys=f"ops:{KEY},web:{KEY[::-1]}")
    )
    tickets = tickets or Tickets()
    return guard(found, ROUTES, redeem=tickets.redeem, find_share=_find)


async def test_a_ticket_opens_one_websocket_as_whom_it_was_given_to() -> None:
    """It works once, there and nowhere else. Spec: access/Tickets."""
    tickets = Tickets()
    keyed = await door(tickets)

    ticket = tickets.issue(OPS)

    assert await ask(keyed, "GET", f"{CALLS}?ticket={ticket}") == 401
    assert await ask(keyed, "GET", f"{SHARED}?ticket={ticket}") == 401
    assert await ask(keyed, "GET", f"{LIVE}?ticket={ticket}") == OPS
    assert await ask(keyed, "GET", f"{LIVE}?ticket={ticket}") == 401


@pytest.mark.parametrize("ticket", ["", "x", "%00", "\u00e9", "a" * 1000])
async def test_a_wrong_ticket_opens_nothing(ticket: str) -> None:
    """Whatever it looks like; and a key is as good as ever. Spec: access/Tickets."""
    keyed = await door()

    assert await ask(keyed, "GET", f"{LIVE}?ticket={ticket}") == 401
    assert await ask(keyed, "GET", f"{LIVE}?ticket={ticket}", bearer(KEY)) == OPS


def test_a_ticket_lasts_a_minute() -> None:
    """To the end of it, and no longer. Spec: access/Tickets."""
    clock = Clock()
    tickets = Tickets(clock)
    early, late = tickets.issue(OPS), tickets.issue(OPS)

    clock.time += LASTS_S
    assert tickets.redeem(early) == OPS
    clock.time += 0.001
    assert tickets.redeem(late) is None


def test_tickets_are_bounded() -> None:
    """Who asks for ever more loses the oldest. Spec: access/Tickets."""
    tickets = Tickets()
    other = tickets.issue(Caller("web", None))
    first = tickets.issue(OPS)

    last = [tickets.issue(OPS) for _ in range(MOST)][-1]

    assert tickets.redeem(first) is None
    assert tickets.redeem(last) == OPS
    assert tickets.redeem(other) == Caller("web", None), "one caller pushes nobody else's out"


async def test_a_link_opens_what_may_be_shared_as_nobody_else() -> None:
    """Its caller has no backend's calls and nobody's jobs. Spec: access/Links."""
    keyed = await door()
    guest = Caller("share s1", "")

    assert await ask(keyed, "GET", SHARED, {"Livebot-Share": "right"}) == guest
    assert await ask(keyed, "GET", f"{SHARED}?share=right") == guest
    assert await ask(keyed, "GET", SHARED, {"Livebot-Share": "wrong"}) == 401
    for path in (CALLS, LIVE):
        assert await ask(keyed, "GET", path, {"Livebot-Share": "right"}) == 401


async def test_guesses_at_links_are_few() -> None:
    """Strangers cannot keep the database busy; keys work all the while. Spec: access/Links."""
    asked = 0

    async def counted(token: str) -> Share | None:
        nonlocal asked
        asked += 1
        return await _find(token)

    settings = await asyncio.to_thread(
        lambda: load_settings(host="0.0.0.0", api_keys=f"ops:{KEY},web:{KEY[::-1]}")
    )
    keyed = guard(settings, ROUTES, find_share=counted)
    for number in range(10 * GUESSES):
        with suppress(QuotaError):
            await ask(keyed, "GET", SHARED, {"Livebot-Share": f"wrong {number}"})

    assert asked < 5 * GUESSES
    assert await ask(keyed, "GET", SHARED, bearer(KEY)) == OPS


async def test_owners_of_one_backend_are_not_those_of_all() -> None:
    """Whatever a key is called. Spec: access/Backends."""
    found = []
    for caller in (Caller("ann@berlin", None), Caller("ann", "berlin"), Caller("ann", "")):
        request = make_mocked_request("GET", "/")
        request[_CALLER] = caller
        found.append(scope(request).owner)

    assert len({*found}) == len(found)


async def test_a_key_counts_more_than_a_link() -> None:
    """Who has both sees what the key lets see. Spec: access/Links."""
    both = bearer(KEY) | {"Livebot-Share": "right"}

    assert await ask(await door(), "GET", SHARED, both) == OPS


async def test_deepgrams_word_for_a_key() -> None:
    """`Token` is as good as `Bearer`. Spec: access/Callers."""
    keyed = await door()

    assert await ask(keyed, "GET", CALLS, {"Authorization": f"Token {KEY}"}) == OPS
    assert await ask(keyed, "GET", CALLS, {"Authorization": "Token wrong"}) == 401


async def test_at_home_guests_are_anybody() -> None:
    """Where nobody needs a key, a link that has run out keeps nobody out."""
    home = await asyncio.to_thread(lambda: load_settings(host="127.0.0.1"))
    open_door = guard(home, ROUTES, find_share=_find)

    assert await ask(open_door, "GET", SHARED, {"Livebot-Share": "wrong"}) == ANONYMOUS
