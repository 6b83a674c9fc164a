"""One WebSocket to the signaling server: its faults as `SignalingError`, its waits bounded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from livebot.errors import SignalingError

CLOSE_TIMEOUT_S = 2.0
PONG_TIMEOUT_S = 5.0
"""A server that says nothing for so long is given up. If it was only slow, that costs one
resume, which nobody notices; if the way to it is dead, every second counts."""

MAX_MESSAGE_BYTES = 4 << 20
"""Of the server's messages: a participants update of a large room is a few hundred KiB."""


@contextmanager
def _faults() -> Iterator[None]:
    """Let the network's faults leave as `SignalingError`."""
    try:
        yield
    except ConnectionClosed as exc:
        code = exc.rcvd.code if exc.rcvd else "without a word"
        raise SignalingError(f"the server closed the connection ({code})") from exc
    except (OSError, WebSocketException, TimeoutError) as exc:
        raise SignalingError(f"signaling connection lost: {type(exc).__name__}") from exc


class _Connect(connect):
    """websockets' `connect` without redirects: they would show our hello to another host.

    Whoever has seen it can say it here, and is let into every room.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Link:
    """An open socket; every method raises `SignalingError` where it is no more."""

    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws

    @property
    def close_code(self) -> int | None:
        """With what the connection was closed, once it is."""
        return self._ws.close_code

    async def receive(self) -> str:
        """Wait for the server's next message. While some wait, this gives way to nobody."""
        with _faults():
            while not isinstance(text := await self._ws.recv(), str):
                pass
        return text

    async def send(self, text: str) -> None:
        """Put a message on the socket; waits for as long as the socket takes nothing."""
        with _faults():
            await self._ws.send(text)

    async def ping(self) -> None:
        """Wait until the server has read everything that was sent before this.

        It is the only way to know: what a socket took, whose other end is gone, is lost.

        Raises:
            SignalingError: It did not in `PONG_TIMEOUT_S`; the connection is of no use.
        """
        with _faults():
            done = set[asyncio.Future[float]]()
            with suppress(TimeoutError):
                async with asyncio.timeout(PONG_TIMEOUT_S):
                    pong = asyncio.ensure_future(await self._ws.ping())
                # A pong that came while our own loop was held up counts.
                done, _ = await asyncio.wait([pong], timeout=PONG_TIMEOUT_S)
            if not done:
                # Nothing would answer to a farewell either.
                self._ws.transport.abort()
                raise SignalingError("the server does not answer")
            done.pop().result()


@asynccontextmanager
async def open_link(url: str, *, timeout_s: float) -> AsyncIterator[Link]:
    """Connect within a time, and close at the end.

    Raises:
        SignalingError: There is no way to a signaling server.
    """
    with _faults():
        ws = await _open(url, timeout_s)
        try:
            yield Link(ws)
        finally:
            await _close(ws)


async def _open(url: str, timeout_s: float) -> ClientConnection:
    try:
        return await _Connect(
            url,
            compression=None,
            open_timeout=timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # `Link.ping()` does it, and tells more.
            max_size=MAX_MESSAGE_BYTES,
        )
    except InvalidStatus as exc:
        status = exc.response.status_code
        is_redirect = "Location" in exc.response.headers
        cure = "; set LT_HPB_URL to where it points" if is_redirect else ""
        text = f"no signaling server there: it answers HTTP {status}{cure}"
        raise SignalingError(text) from exc
    except (ValueError, ImportError) as exc:
        # A host name or port that cannot be; a SOCKS proxy in the environment, for which the
        # library wants another library.
        raise SignalingError(f"no way to the signaling server: {type(exc).__name__}") from exc


async def _close(ws: ClientConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await ws.close()
    except TimeoutError:
        # The socket does not even take the farewell.
        ws.transport.abort()
        await ws.wait_closed()
