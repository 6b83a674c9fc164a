"""The HTTP server: routes and middlewares put together, and a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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

SHUTDOWN_S = 2.0
"""How long requests under way may take to end."""


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
    # aiohttp's access log would show room tokens.
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=SHUTDOWN_S, lingering_time=LINGER_S
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            raise ConfigError(
                f"cannot listen on {host} port {port} ({exc.strerror});"
                " change HOST or PORT, or stop who listens there"
            ) from exc
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
