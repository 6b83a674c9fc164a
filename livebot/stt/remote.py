"""The WebSocket under the remote engines: opened once, watched, its faults translated.

websockets' exceptions end here; whoever uses a `Connection` meets `EngineError` alone. Who may
try again, and when, is `failover.py`'s business.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.uri import parse_uri

from livebot.errors import ConfigError, EngineBusyError, EngineError

ASK_AFTER_S = 4.0
"""An endpoint that has said nothing for so long is asked by a ping whether it is there."""

DEAD_AFTER_S = 12.0
"""An endpoint without any sign of life for so long is gone; noticed within `ASK_AFTER_S` more,
about half of what is kept to be sent again, so its loss costs no words. Words count as well as
pongs, because those of an endpoint that is only slow wait behind the audio it has yet to take."""

SEND_WITHIN_S = 15.0
"""An endpoint that takes no audio for so long is stuck, whatever it says."""

READ_WITHIN_S = 20.0
"""How long an endpoint may take to read what is under way: four seconds of audio, and its own
network's buffers, at a fraction of the pace of speech."""

SEND_BUFFER = 131_072
"""Bytes that wait in our own kernel. Left to itself it takes 40 s of audio for an endpoint that
has stopped reading, more than is kept to be sent again; so it takes 4 s, and pings get through."""

CLOSE_WITHIN_S = 1.0
"""Closing politely is worth this much; then the socket is dropped."""

MAX_MESSAGE_BYTES = 4_096
"""No message is longer: a word and its braces take some fifty bytes. Many times as many words in
one would hold up everybody else while captions are made of them."""

MAX_MESSAGES = 256
"""Unread messages before the endpoint is made to wait: 20 s of steps, or a minute of words."""

_AT_ONCE_S = 5.0
"""A close within this time and without a word is a refusal rather than an end."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine's streams are opened.

    Attributes:
        url: The stream's full address.
        headers: What shows who we are. Never sent anywhere else: redirects are not followed.
        cure: What to look at when the endpoint refuses us, for the text of errors.
        patience_s: How long opening may take: one that starts up may hold us off so long.
    """

    url: str
    headers: Mapping[str, str]
    cure: str
    patience_s: float

    def __post_init__(self) -> None:
        try:
            parse_uri(self.url)
        except (InvalidURI, ValueError) as exc:
            raise ConfigError(
                f"the address of the speech service must be a ws:// or wss:// one: {self.cure}"
            ) from exc
        if not all(value.isascii() and value.isprintable() for value in self.headers.values()):
            raise ConfigError(f"keys of the speech service are plain ASCII: {self.cure}")

    @property
    def host(self) -> str:
        """The host and port, which may be shown; an address may carry a key."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "wss"


class _Connect(connect):
    """websockets' `connect` without redirects: they would carry our keys to another host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Connection:
    """One open WebSocket.

    Args:
        ws: It.
        host: Its name in errors.
    """

    def __init__(self, ws: ClientConnection, host: str) -> None:
        self._ws = ws
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._opened = self._alive_at = self._loop.time()
        self._ask_at = self._opened + ASK_AFTER_S
        self._has_answered = False
        self._pong: asyncio.Future[float] | None = None

    async def send(self, message: bytes) -> None:
        """Send one binary message; waits while the endpoint cannot take more.

        Raises:
            EngineError: The endpoint is gone, or takes nothing.
        """
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._ws.send(message)
        except TimeoutError as exc:
            raise EngineError(f"{self._host} takes no audio") from exc
        except ConnectionClosed as exc:
            raise self._lost(exc) from exc

    async def wait_read(self) -> None:
        """Wait until the endpoint has read all that was sent.

        Raises:
            EngineError: The endpoint is gone, or takes too long.
        """
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                pong = asyncio.ensure_future(await self._ws.ping())
                await asyncio.wait([pong])
        except TimeoutError as exc:
            raise EngineError(f"{self._host} does not get to the end of the audio") from exc
        except ConnectionClosed as exc:
            raise self._lost(exc) from exc

    async def receive(self) -> str | bytes:
        """Return the next message; may be cancelled without losing one.

        Raises:
            EngineError: The endpoint is gone, or gives no sign of life.
        """
        while True:
            try:
                async with asyncio.timeout_at(self._ask_at):
                    message: str | bytes = await self._ws.recv()
            except TimeoutError:
                await self._ask()
            except ConnectionClosed as exc:
                raise self._lost(exc) from exc
            else:
                self._has_answered = True
                self._alive()
                return message

    async def _ask(self) -> None:
        """Ping, unless a ping is under way.

        Raises:
            EngineError: There was no sign of life for too long.
        """
        if self._loop.time() - self._alive_at >= DEAD_AFTER_S:
            raise EngineError(f"{self._host} gives no sign of life")
        self._ask_at = self._loop.time() + ASK_AFTER_S
        if self._pong is not None and not self._pong.done():
            return
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                self._pong = asyncio.ensure_future(await self._ws.ping())
                self._pong.add_done_callback(self._answered)
        except TimeoutError:
            pass  # It takes nothing: the time runs.
        except ConnectionClosed as exc:
            raise self._lost(exc) from exc

    def _answered(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._alive()

    def _alive(self) -> None:
        """Note a sign of life."""
        self._alive_at = self._loop.time()
        self._ask_at = self._alive_at + ASK_AFTER_S

    async def close(self) -> None:
        """Say goodbye; may be called twice."""
        await _close(self._ws)

    @property
    def is_ended(self) -> bool:
        """Whether the endpoint has closed in order, with code 1000."""
        return self._ws.close_code == 1000  # noqa: PLR2004 - RFC 6455, 7.4.1

    def _lost(self, exc: ConnectionClosed) -> EngineError:
        age = self._loop.time() - self._opened
        if isinstance(exc, ConnectionClosedOK) and not self._has_answered and age < _AT_ONCE_S:
            # The service's way to say that no channel is free: it accepts, then closes.
            return EngineBusyError(f"{self._host} closed the stream at once: all are taken")
        if exc.rcvd is None and exc.sent is not None:
            return EngineError(f"{self._host} broke the protocol (code {exc.sent.code})")
        return EngineError(f"{self._host} closed the stream (code {self._ws.close_code})")


async def tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    """Load the certificates once, off the loop: it takes tens of milliseconds."""
    return await asyncio.to_thread(ssl.create_default_context) if endpoint.is_secure else None


@asynccontextmanager
async def dial(endpoint: Endpoint, tls: ssl.SSLContext | None) -> AsyncIterator[Connection]:
    """Open a WebSocket; closes it on leaving.

    Args:
        endpoint: Where to.
        tls: From `tls_context()`.

    Raises:
        EngineError: Nobody answers within the endpoint's patience, or we are refused.
    """
    try:
        ws = await _Connect(
            endpoint.url,
            ssl=tls,
            additional_headers=endpoint.headers,
            # Speech hardly shrinks, and the attempt costs as much CPU as all the rest.
            compression=None,
            open_timeout=endpoint.patience_s,
            ping_interval=None,  # see `Connection.receive`
            close_timeout=CLOSE_WITHIN_S,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=MAX_MESSAGES,
        )
    except (OSError, WebSocketException) as exc:
        raise _translate(exc, endpoint) from exc
    ws.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
    try:
        yield Connection(ws, endpoint.host)
    finally:
        await _close(ws)


async def _close(ws: ClientConnection) -> None:
    try:
        # Who takes nothing does not take a goodbye either, and websockets would wait for that.
        async with asyncio.timeout(2 * CLOSE_WITHIN_S):
            await ws.close()
    except TimeoutError:
        ws.transport.abort()
        await ws.wait_closed()


def _translate(exc: OSError | WebSocketException, endpoint: Endpoint) -> EngineError:
    """Sort what went wrong while opening by whether trying again helps."""
    host = endpoint.host
    match exc:
        case InvalidStatus():
            return _refused(exc.response.status_code, endpoint)
        case ssl.SSLCertVerificationError():
            text = f"the certificate of {host} is not trusted: {exc.verify_message}"
            return EngineError(text, retryable=False)
        case TimeoutError():
            return EngineError(f"{host} did not answer within {endpoint.patience_s:.0f} s")
        case OSError():
            return EngineError(f"{host} cannot be reached ({exc.strerror or type(exc).__name__})")
        case _:
            return EngineError(f"{host} does not speak WebSocket ({type(exc).__name__})")


def _refused(status: int, endpoint: Endpoint) -> EngineError:
    text = f"{endpoint.host} answered with HTTP status {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return EngineBusyError(text)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return EngineError(text)
    return EngineError(f"{text}: {endpoint.cure}", retryable=False)
