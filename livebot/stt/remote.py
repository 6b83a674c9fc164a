"""The WebSocket under the remote engines: opened with patience, its faults translated.

websockets' exceptions end here; whoever uses a `Connection` meets `EngineError` alone.
"""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
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

PING_EVERY_S = 10.0
PING_WITHIN_S = 20.0
"""A peer that is gone without a word is noticed after these two together."""

SEND_WITHIN_S = 20.0
"""An endpoint that takes no audio for so long is stuck, even if it still answers pings."""

CLOSE_WITHIN_S = 1.0
"""Closing politely is worth this much; then the socket is dropped."""

MAX_MESSAGE_BYTES = 65_536
MAX_MESSAGES = 256
"""Unread messages before the endpoint is made to wait: 20 s of steps, or a minute of words."""

_FIRST_DELAY_S = 0.25
_LAST_DELAY_S = 5.0

_AT_ONCE_S = 5.0
"""A close within this time and without a word is a refusal rather than an end."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine's streams are opened.

    Attributes:
        url: The stream's full address.
        headers: What shows who we are. Never sent anywhere else: redirects are not followed.
        cure: What to look at when the endpoint refuses us, for the text of errors.
        patience_s: How long opening may take, a cold start included.
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
        self._opened = asyncio.get_running_loop().time()
        self._has_answered = False

    async def send(self, message: bytes, *, within_s: float = SEND_WITHIN_S) -> None:
        """Send one binary message; waits while the endpoint cannot take more.

        Raises:
            EngineError: The endpoint is gone, or takes nothing.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._ws.send(message)
        except TimeoutError as exc:
            raise EngineError(f"{self._host} takes no audio") from exc
        except ConnectionClosed as exc:
            raise self._lost(exc) from exc

    async def receive(self) -> str | bytes:
        """Return the next message; may be cancelled without losing one.

        Raises:
            EngineError: The endpoint is gone.
        """
        try:
            message: str | bytes = await self._ws.recv()
        except ConnectionClosed as exc:
            raise self._lost(exc) from exc
        self._has_answered = True
        return message

    async def close(self) -> None:
        """Say goodbye; may be called twice."""
        await self._ws.close()

    @property
    def is_ended(self) -> bool:
        """Whether the endpoint has closed in order, with code 1000."""
        return self._ws.close_code == 1000  # noqa: PLR2004 - RFC 6455, 7.4.1

    def _lost(self, exc: ConnectionClosed) -> EngineError:
        age = asyncio.get_running_loop().time() - self._opened
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
async def dial(
    endpoint: Endpoint, tls: ssl.SSLContext | None, *, attempts: int | None = None
) -> AsyncIterator[Connection]:
    """Open a WebSocket, again and again within the endpoint's patience; closes it on leaving.

    Args:
        endpoint: Where to.
        tls: From `tls_context()`.
        attempts: Give up after so many; None for as many as the patience allows.

    Raises:
        EngineError: Nobody answers in time, or we are refused for a reason that lasts.
    """
    ws = await _open(endpoint, tls, attempts)
    try:
        yield Connection(ws, endpoint.host)
    finally:
        await ws.close()


async def _open(
    endpoint: Endpoint, tls: ssl.SSLContext | None, attempts: int | None
) -> ClientConnection:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + endpoint.patience_s
    delay_s, tried = _FIRST_DELAY_S, 0
    while True:
        try:
            return await _attempt(endpoint, tls, deadline - loop.time())
        except (OSError, WebSocketException) as exc:
            fault = _translate(exc, endpoint)
            tried += 1
            # Spread, so that a room's speakers do not come back all at once.
            wait_s = delay_s * (0.5 + random.random())  # noqa: S311
            if not fault.retryable or tried == attempts or loop.time() + wait_s >= deadline:
                raise fault from exc
        await asyncio.sleep(wait_s)
        delay_s = min(2 * delay_s, _LAST_DELAY_S)


async def _attempt(
    endpoint: Endpoint, tls: ssl.SSLContext | None, within_s: float
) -> ClientConnection:
    return await _Connect(
        endpoint.url,
        ssl=tls,
        additional_headers=endpoint.headers,
        # Speech hardly shrinks, and the attempt costs as much CPU as all the rest.
        compression=None,
        open_timeout=within_s,
        ping_interval=PING_EVERY_S,
        ping_timeout=PING_WITHIN_S,
        close_timeout=CLOSE_WITHIN_S,
        max_size=MAX_MESSAGE_BYTES,
        max_queue=MAX_MESSAGES,
    )


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
