"""A client's WebSocket, where it speaks another service's form."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from livebot.feeds.events import Numbered, Snapshot
from livebot.feeds.feed import Feed
from livebot.live.clients import End
from livebot.live.session import LiveSession

Message: TypeAlias = Mapping[str, Any]

MOST_BYTES = 4 << 20
"""Of one message: twenty seconds of raw stereo, as a client may send them that reads a file."""

FINISH_S = 30.0
"""How long the last words may take to come once a client is done."""

_encode = msgspec.json.Encoder().encode


class Socket:
    """All that one client is told goes through here, in order.

    Args:
        request: What is to become a WebSocket.
        protocols: Names of ours that a client may offer.
    """

    def __init__(self, request: web.Request, protocols: Iterable[str] = ()) -> None:
        self._request = request
        self._lock = asyncio.Lock()
        # Without heartbeats: where audio has to wait, aiohttp would not read their answers.
        self.response = web.WebSocketResponse(
            protocols=tuple(protocols), max_msg_size=MOST_BYTES, compress=False
        )

    def check(self) -> None:
        """Check that a WebSocket is asked for.

        Raises:
            HTTPUpgradeRequired: It is not.
        """
        if not self.response.can_prepare(self._request).ok:
            raise web.HTTPUpgradeRequired(reason="this is for WebSockets: ask for an upgrade")

    async def open(self) -> None:
        """Become a WebSocket."""
        await self.response.prepare(self._request)

    async def say(self, messages: Iterable[Message]) -> None:
        """Tell messages; waits while the client takes none.

        Raises:
            ConnectionError: It is gone.
        """
        async with self._lock:
            for message in messages:
                await self.response.send_str(_encode(message).decode())

    async def ping(self) -> None:
        """Keep proxies from taking the connection for idle; nobody waits for the answer.

        Raises:
            ConnectionError: The client is gone.
        """
        async with self._lock:
            await self.response.ping()

    async def receive(self, within_s: float | None = None) -> str | bytes | None:
        """Return what comes next; None where nothing does any more.

        Raises:
            TimeoutError: Nothing came for so long.
        """
        async with asyncio.timeout(within_s):
            came = await self.response.receive()
        # What is buffered comes without waiting: whoever floods us is not alone here.
        await asyncio.sleep(0)
        return came.data if came.type in (WSMsgType.TEXT, WSMsgType.BINARY) else None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the conversation; may be called twice."""
        await self.response.close(code=code, message=reason.encode())


async def relay(
    feed: Feed, socket: Socket, hear: Callable[[Numbered | Snapshot], list[dict[str, Any]]]
) -> None:
    """Tell a client what is said, until the feed ends.

    Args:
        feed: Where it is said.
        socket: The client's.
        hear: Makes messages of what comes.

    Raises:
        ConnectionError: The client is gone.
    """
    after = 0
    while came := await feed.read(after):
        if isinstance(came, Snapshot):
            after = came.seq
            await socket.say(hear(came))
        else:
            after = came[-1].seq
            await socket.say([message for numbered in came for message in hear(numbered)])


async def part(socket: Socket, session: LiveSession) -> None:
    """Close once all was told: in a way that makes clients come back, unless they were done."""
    end = await session.ended()
    if end is End.FINISHED:
        await socket.close()
    else:
        await socket.close(WSCloseCode.SERVICE_RESTART, f"the session is over: {end}")


async def finish(session: LiveSession) -> bool:
    """Let the last words come; return whether they did in time. May be called twice."""
    try:
        async with asyncio.timeout(FINISH_S):
            await session.finish()
    except TimeoutError:
        session.detach()
        return False
    return True
