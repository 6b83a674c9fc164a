"""One-time tickets: how a page in a browser shows who it is where it cannot show a key.

A WebSocket of a browser has no headers of the page's own. So the page asks for a ticket, with its
key, and puts it into the address. A ticket opens one connection, and within a minute: what
proxies note of addresses is worth nothing to others.
"""

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable

from aiohttp import web

from livebot.api import schemas
from livebot.api.callers import Caller
from livebot.api.replies import reply
from livebot.api.routes import Access, Route

LASTS_S = 60.0

MOST = 100
"""Of one caller at once; beyond, its oldest is forgotten."""


class Tickets:
    """Those that were given out and not used.

    Args:
        now: A steady clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: dict[bytes, tuple[float, Caller]] = {}
        self._of: dict[Caller, deque[bytes]] = {}

    def issue(self, caller: Caller) -> str:
        """Return a new ticket for a caller."""
        ticket = secrets.token_urlsafe(32)
        found = _digest(ticket)
        self._open[found] = self._now() + LASTS_S, caller
        # Callers are as many as there are keys, so nothing grows by it.
        own = self._of.setdefault(caller, deque())
        own.append(found)
        if len(own) > MOST:
            self._open.pop(own.popleft(), None)
        return ticket

    def redeem(self, ticket: str) -> Caller | None:
        """Return whose ticket it is, once; None where it is nobody's, was used or is too old."""
        # Found by its digest, so that the time it takes says nothing about others.
        until, caller = self._open.pop(_digest(ticket), (0.0, None))
        return caller if self._now() <= until else None


class TicketOffice:
    """The route that gives tickets out.

    Args:
        tickets: Which the guard takes.
        caller: Says who asks.
    """

    def __init__(self, tickets: Tickets, caller: Callable[[web.Request], Caller]) -> None:
        self._tickets = tickets
        self._caller = caller

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="POST",
                path="/api/v1/tickets",
                handler=self._issue,
                access=Access.CALLER,
                summary="Get a ticket that opens one WebSocket within a minute",
                answers={200: schemas.Ticket},
            )
        ]

    async def _issue(self, request: web.Request) -> web.Response:
        ticket = self._tickets.issue(self._caller(request))
        answer = reply(schemas.Ticket(ticket, LASTS_S))
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogateescape")).digest()
