"""Serves any engine over the Kyutai service's WebSocket, so that it may run on another machine.

It behaves as the service does, faults included, because the client on the other end was
made for that one: 1000 is the only close code, a client that is one too many is let in
and closed, and there is no last message. The words still inside the engine come out
when the client sends silence.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from livebot import logs
from livebot.audio.chunker import Chunker
from livebot.audio.pcm import Samples
from livebot.errors import AudioError, ConfigError, EngineError
from livebot.stt import wire
from livebot.stt.engine import SttEngine, SttStream
from livebot.stt.wire import Dialect

log = logs.get("stt-server")

STREAM_PATH = "/v1/stream"
HEALTH_PATH = "/health"

FRAME = 1_920
"""The engine gets whole frames of 80 ms, however the client cuts them."""

IDLE_S = {Dialect.RUST: 30.0, Dialect.PYTHON: 10.0}
"""A client that sends nothing for so long is closed."""

PING_EVERY_S = 10.0

SEND_WITHIN_S = 20.0
"""A client that takes no words for so long is gone."""

FEED_WITHIN_S = 20.0
"""An engine that takes no audio for so long is stuck; waiting longer would keep us from ending."""

MAX_MESSAGE_BYTES = 1 << 20
"""Eleven seconds of audio."""

MAX_MESSAGES = 8
"""Unread messages before the client is made to wait."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """On what terms streams are served; see `serve()`."""

    dialect: Dialect
    max_streams: int
    language: str
    key: str | None = field(repr=False)
    secret: str | None = field(repr=False)


@asynccontextmanager
async def serve(
    engine: SttEngine,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    dialect: str = "rust",
    key: str | None = None,
    secret: str | None = None,
    max_streams: int = 8,
    language: str = "en",
) -> AsyncIterator[int]:
    """Serve an engine at `/v1/stream`, and `/health`, until the context is left.

    Args:
        engine: Entered already; it stays open afterwards.
        host: The address to listen on; without a key only one of this machine's own.
        port: The port; 0 for any that is free.
        dialect: `rust` or `python`: how words are written, and how long a client may be idle.
        key: What `Modal-Key` must say; None lets everybody in.
        secret: What `Modal-Secret` must say.
        max_streams: How many streams there may be at once.
        language: What is spoken. The protocol has no word for it, so a server serves one.

    Yields:
        The port.

    Raises:
        ConfigError: The address is taken or open to others without a key, or an argument
            makes no sense.
    """
    if dialect not in list(Dialect):
        raise ConfigError(f"no dialect {dialect!r}; have {', '.join(Dialect)}")
    terms = _Terms(Dialect(dialect), max_streams, language, key, secret)
    _check(host, terms)
    service = _Service(engine, terms)
    try:
        server = await service.listen(host, port)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from exc
    async with server:
        yield int(next(iter(server.sockets)).getsockname()[1])


def _check(host: str, terms: _Terms) -> None:
    if (terms.key is None) != (terms.secret is None):
        raise ConfigError("the speech server needs both a key and a secret, or neither")
    if "" in (terms.key, terms.secret):
        raise ConfigError("the speech server's key and secret must not be empty")
    if terms.key is None and not _is_own(host):
        raise ConfigError(
            f"the speech server would let everybody in on {host}: set a key and a secret, "
            "or listen on 127.0.0.1"
        )
    if terms.max_streams < 1:
        raise ConfigError("the speech server must allow at least one stream")


def _is_own(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Service:
    """The streams of one server.

    Args:
        engine: Where they are opened.
        terms: On what terms.
    """

    def __init__(self, engine: SttEngine, terms: _Terms) -> None:
        self._engine = engine
        self._terms = terms
        self._streams = 0

    async def listen(self, host: str, port: int) -> Server:
        return await serve_websocket(
            self._serve,
            host,
            port,
            process_request=self._admit,
            # A browser names the page that it shows. Any page can reach us, and none should.
            origins=[None],
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=MAX_MESSAGES,
            close_timeout=1.0,
        )

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no stream; None lets the upgrade go on."""
        match request.path.partition("?")[0]:
            case path if path == HEALTH_PATH:
                return connection.respond(HTTPStatus.OK, self._health())
            case path if path != STREAM_PATH:
                return connection.respond(HTTPStatus.NOT_FOUND, "not found\n")
            case _ if not self._is_known(request):
                return connection.respond(HTTPStatus.UNAUTHORIZED, "unauthorized\n")
            case _:
                return None

    def _health(self) -> str:
        state = {"status": "healthy", "streams": self._streams, "max": self._terms.max_streams}
        return msgspec.json.encode(state).decode()

    def _is_known(self, request: Request) -> bool:
        """Compare key and secret in a time that tells nothing about them."""
        if self._terms.key is None or self._terms.secret is None:
            return True
        key = _same(request.headers.get_all("Modal-Key"), self._terms.key)
        secret = _same(request.headers.get_all("Modal-Secret"), self._terms.secret)
        return key and secret

    async def _serve(self, ws: ServerConnection) -> None:
        if self._streams >= self._terms.max_streams:
            log.warning("stt_stream_refused", reason="busy", streams=self._streams)
            return  # which closes with 1000
        self._streams += 1
        log.info("stt_stream_opened", streams=self._streams)
        try:
            await self._converse(ws)
        except* EngineError as group:
            log.warning("stt_stream_failed", error=str(group.exceptions[0]))
        except* ConnectionClosed:
            pass  # The client is gone, and with it whoever wanted the words.
        finally:
            self._streams -= 1
            log.info("stt_stream_closed", streams=self._streams)

    async def _converse(self, ws: ServerConnection) -> None:
        async with (
            self._engine.open(language=self._terms.language) as stream,
            asyncio.TaskGroup() as group,
        ):
            answering = [group.create_task(self._answer(stream, ws), name="stt-server-answer")]
            if self._terms.dialect is Dialect.PYTHON:
                answering.append(group.create_task(_ping(ws), name="stt-server-ping"))
            await self._listen(ws, stream)
            for task in answering:
                task.cancel()

    async def _listen(self, ws: ServerConnection, stream: SttStream) -> None:
        """Feed the engine until the client leaves, falls silent or sends what is no audio."""
        frames = Chunker(FRAME)
        while (samples := await self._hear(ws)) is not None:
            for frame in frames.push(samples):
                await _feed(stream, frame)

    async def _hear(self, ws: ServerConnection) -> Samples | None:
        """Return what the client sends next; None where its stream is to be closed."""
        try:
            async with asyncio.timeout(IDLE_S[self._terms.dialect]):
                data: str | bytes = b""
                # What is no audio does not keep a stream open.
                while not data or isinstance(data, str):
                    data = await ws.recv()
            return wire.decode_audio(data)
        except (TimeoutError, ConnectionClosed, AudioError):
            return None

    async def _answer(self, stream: SttStream, ws: ServerConnection) -> None:
        encoder = wire.Encoder(self._terms.dialect)
        async for event in stream.events():
            if (message := encoder.feed(event)) is not None:
                await _send(ws, message)


def _same(sent: list[str], expected: str) -> bool:
    return len(sent) == 1 and hmac.compare_digest(
        sent[0].encode(errors="surrogateescape"), expected.encode()
    )


async def _ping(ws: ServerConnection) -> None:
    """Give the python dialect's sign of life."""
    while True:
        await asyncio.sleep(PING_EVERY_S)
        await _send(ws, wire.ping())


async def _feed(stream: SttStream, frame: Samples) -> None:
    try:
        async with asyncio.timeout(FEED_WITHIN_S):
            await stream.send(frame)
    except TimeoutError as exc:
        raise EngineError("the engine takes no audio") from exc


async def _send(ws: ServerConnection, message: str) -> None:
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await ws.send(message)
    except TimeoutError as exc:
        raise EngineError("a client takes no words") from exc
