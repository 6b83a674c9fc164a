"""What is said now, as server-sent events: first all there is, then each event as it comes."""

import re
from collections.abc import AsyncGenerator

from aiohttp import web

from livebot.api import native, sse
from livebot.api.auth import scope, share
from livebot.api.backends import Backends
from livebot.api.bodies import room_token
from livebot.api.routes import Access, Handler, Route
from livebot.api.services import Services
from livebot.errors import NotFoundError, RequestError
from livebot.feeds.directory import live_feed, room_feed
from livebot.feeds.events import Numbered, Snapshot
from livebot.feeds.feed import Feed

_NUMBER = re.compile(r"[0-9]{1,15}")

_SESSION = re.compile(r"[0-9a-f]{32}")

_SAME_S = 0.001
"""Two feeds never begin so close to each other; less is rounding."""


class Events:
    """The routes.

    Who comes back says what it has, `after=SEQ&epoch=EPOCH`, and gets what followed. A feed that
    began anew since has another epoch: then, as without both, all there is comes first.

    Args:
        services: What there is.
        backends: The Nextclouds.
    """

    def __init__(self, services: Services, backends: Backends) -> None:
        self._services = services
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            self._get("/api/v1/rooms/{roomToken}/events", self._room, "a call"),
            self._get("/api/v1/live/{session}/events", self._live, "a live session"),
        ]

    def _get(self, path: str, handler: Handler, what: str) -> Route:
        of_room = self._backends.query if handler == self._room else {}
        return Route(
            method="GET",
            path=path,
            handler=handler,
            access=Access.SHARED,
            summary=f"Read along in {what}: a snapshot, then events as they come",
            query={"after": False, "epoch": False, **of_room},
            answers={200: None},
            content={200: sse.CONTENT_TYPE},
            is_long=True,
        )

    async def _room(self, request: web.Request) -> web.StreamResponse:
        token = room_token(request.match_info["roomToken"])
        if (link := share(request)) is not None:
            backend = link.target.rpartition("/")[0]
            _check(link.kind == "room" and link.target == f"{backend}/{token}")
        else:
            backend = self._backends.of(request).name
        return await self._tell(request, room_feed(backend, token))

    async def _live(self, request: web.Request) -> web.StreamResponse:
        session = request.match_info["session"]
        _check(_SESSION.fullmatch(session) is not None)
        if (link := share(request)) is not None:
            _check(link.kind == "live" and link.target == session)
        else:
            # Nobody reads a session of another key.
            _check(self._services.need_live().owner(session) == scope(request).owner)
        return await self._tell(request, live_feed(session))

    async def _tell(self, request: web.Request, name: str) -> web.StreamResponse:
        feed = self._services.feeds.get(name)
        return await sse.stream(request, _messages(feed, _after(request, feed)))


def _check(ok: bool) -> None:  # noqa: FBT001  # it is the only one
    """Go on, or answer as if there were nothing.

    Raises:
        NotFoundError: It is not for whoever asks.
    """
    if not ok:
        raise NotFoundError("nothing is said there now")


def _after(request: web.Request, feed: Feed) -> int | None:
    """Return what a reader has already; None where that is of no use.

    Raises:
        RequestError: It cannot be understood.
    """
    after, epoch = request.query.get("after"), request.query.get("epoch")
    if after is None:
        return None
    if not _NUMBER.fullmatch(after):
        raise RequestError("after is the number of the last event that you have")
    if epoch is not None:
        try:
            began = float(epoch)
        except ValueError:
            raise RequestError("epoch is what the snapshot said") from None
        if not abs(began - feed.epoch) < _SAME_S:
            return None
    return int(after)


async def _messages(feed: Feed, after: int | None) -> AsyncGenerator[bytes, None]:
    """Yield what a reader is told, until the feed is closed."""
    if after is None:
        first = feed.snapshot()
        yield _message(first)
        after = first.seq
    while told := await feed.read(after):
        for each in [told] if isinstance(told, Snapshot) else told:
            yield _message(each)
            after = each.seq
    yield sse.message(native.closed(after), event="closed", ident=after)


def _message(told: Numbered | Snapshot) -> bytes:
    form = native.form(told)
    return sse.message(form, event=form["type"], ident=told.seq)
