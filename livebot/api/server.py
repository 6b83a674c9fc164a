"""The HTTP server: routes and middlewares put together, and a socket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from aiohttp import web

from livebot.api.auth import require_key
from livebot.api.calls import Calls
from livebot.api.errors import errors_to_json
from livebot.api.ops import Ops
from livebot.api.service import RoomService
from livebot.errors import ConfigError
from livebot.metrics import Metrics
from livebot.settings import Settings

MAX_BODY_BYTES = 64 * 1024
"""A request with 32 TURN servers is a few KiB."""

LINGER_S = 1.0
"""How long the rest of a refused body is read, so that its sender sees the answer."""

IDLE_S = 30.0
"""How long a connection may stay without a whole request: who sends slowly holds none longer."""

MAX_CONNECTIONS = 256
"""So many callers at once; more would take the descriptors that calls need."""

SHUTDOWN_S = 2.0
"""How long requests under way may take to end."""

_silent = logging.getLogger("livebot.api.aiohttp")


def make_app(rooms: RoomService, settings: Settings, metrics: Metrics) -> web.Application:
    """Return the application; it serves all routes of the API."""
    app = web.Application(
        middlewares=[errors_to_json, require_key(settings)], client_max_size=MAX_BODY_BYTES
    )
    app.add_routes(Calls(rooms, default_language=settings.language).routes())
    app.add_routes(Ops(rooms, metrics).routes())
    return app


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen until the context is left; yield the port, which matters where 0 was asked for.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    # aiohttp's access log would show room tokens, its error log what strangers send: malformed
    # headers with the keys in them.
    _silent.disabled = True
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_silent,
        keepalive_timeout=IDLE_S,
        shutdown_timeout=SHUTDOWN_S,
        lingering_time=LINGER_S,
    )
    await runner.setup()
    try:
        with closing(await _listen(runner, host, port)) as listening:
            yield listening.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    server = runner.server
    if server is None:
        raise RuntimeError("the runner was not set up")

    def protocol() -> asyncio.BaseProtocol:
        full = len(server.connections) >= MAX_CONNECTIONS
        return _Refusal() if full else server()

    try:
        return await asyncio.get_running_loop().create_server(protocol, host, port)
    except (OSError, UnicodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "no host has such a name"
        raise ConfigError(
            f"cannot listen on {host} port {port} ({why});"
            " change HOST or PORT, or stop who listens there"
        ) from exc


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()
