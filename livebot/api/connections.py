"""Who may hold a connection, and how long: slow callers never keep others out.

There are as many connections as the limit says. One more takes the place of the one that has
waited longest without a whole request; a request that came whole is always answered.
"""

import asyncio
import resource
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from livebot.api.routes import Handler

MOST_CONNECTIONS = 512
"""At once; each takes a descriptor and some 20 KiB."""

BACKLOG = 1024
"""Callers that the kernel lets wait for us; one more would be told nothing, and try again a
second later."""

HEADERS_S = 10.0
"""How long the headers of a request may take from their first byte."""

SENDING_S = 10.0
"""How long a caller may take no more of an answer that does not fit into the buffers."""

DESCRIPTORS = 65_536
"""What we ask the kernel for: the usual 1,024 are few for a hundred calls."""


def raise_descriptor_limit() -> int:
    """Let this process have as many descriptors as it may, up to a sensible number.

    Returns:
        How many it may have now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= allowed:
        return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def most_connections(descriptors: int) -> int:
    """Return how many connections leave enough descriptors for calls: a quarter at most."""
    return max(1, min(MOST_CONNECTIONS, descriptors // 4))


class Connections:
    """The open ones.

    Args:
        serve: Makes what speaks HTTP on a connection.
        limit: How many there may be; one more for a moment, while one is closed.
    """

    def __init__(self, serve: Callable[[], asyncio.Protocol], limit: int) -> None:
        self._serve = serve
        self._limit = limit
        # In the order in which they began to wait.
        self._open: OrderedDict[Connection, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._open)

    def protocol_factory(self) -> asyncio.Protocol:
        """Return what answers a new connection: a server, or nothing but a goodbye."""
        if len(self._open) >= self._limit and not self._make_room():
            return _Refusal()
        connection = Connection(self._serve(), self._open)
        self._open[connection] = None
        return connection

    def _make_room(self) -> bool:
        """Close who has waited longest; return False where all are being served."""
        for connection in self._open:
            if not connection.is_served:
                connection.abort()
                return True
        return False


class Connection(asyncio.Protocol):
    """One connection: hands on what happens to it, and watches the clock.

    Args:
        http: Who speaks HTTP on it.
        queue: All that are open, those that waited longest first.
    """

    def __init__(self, http: asyncio.Protocol, queue: OrderedDict["Connection", None]) -> None:
        self._http = http
        self._queue = queue
        self._request: web.Request | None = None
        self._transport: asyncio.Transport | None = None
        self._aborted = False
        self._is_held = False
        self._headers = _Clock()
        self._sending = _Clock()

    @property
    def is_served(self) -> bool:
        """Whether a request is being answered that came whole."""
        return self._is_held or (self._request is not None and self._request.content.is_eof())

    def hold(self) -> None:
        """Count as served, although the request has not come whole: who sends it may send much."""
        self._is_held = self._request is not None

    def abort(self) -> None:
        """Close it at once, whatever is still to be sent."""
        self._aborted = True
        self._queue.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    @contextmanager
    def serving(self, request: web.Request) -> Iterator[None]:
        """Note that a request is answered inside of the context."""
        self._headers.stop()
        self._request = request
        try:
            yield
        finally:
            self._request = None
            self._is_held = False
            if self in self._queue:
                self._queue.move_to_end(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a connection may have had to go before."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # no datagrams here
        self._transport = transport
        self._http.connection_made(transport)
        if self._aborted:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on; the first ones of a request start its clock."""
        if self._request is None:
            self._headers.start(HEADERS_S, self.abort)
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._http.eof_received()

    def pause_writing(self) -> None:
        """Start the clock of a caller that does not read."""
        self._sending.start(SENDING_S, self.abort)
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Stop it."""
        self._sending.stop()
        self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._queue.pop(self, None)
        self._headers.stop()
        self._sending.stop()
        self._transport = None
        self._http.connection_lost(exc)


@web.middleware
async def while_served(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep the connection of a whole request from being closed for another; the outermost."""
    connection = request.transport.get_protocol() if request.transport else None
    if not isinstance(connection, Connection):
        return await handler(request)
    with connection.serving(request):
        return await handler(request)


def hold(request: web.Request) -> None:
    """Keep the connection of a request that somebody known may take long to send."""
    connection = request.transport.get_protocol() if request.transport else None
    if isinstance(connection, Connection):
        connection.hold()


class _Clock:
    """Does something unless it is stopped in time."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float, late: Callable[[], None]) -> None:
        """Begin to wait, unless it waits already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, late)

    def stop(self) -> None:
        """Do nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()
