"""The HTTP server: routes and middlewares put together, and a socket."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial

from aiohttp import HttpVersion11, hdrs, web

from livebot.api import unix
from livebot.api.auth import guard
from livebot.api.backends import Backends
from livebot.api.connections import (
    BACKLOG,
    Connections,
    most_connections,
    raise_descriptor_limit,
    while_served,
)
from livebot.api.cors import allow_origins
from livebot.api.errors import errors_to_json, within_deadline
from livebot.api.exapp import while_enabled
from livebot.api.http import Http
from livebot.api.routes import Route
from livebot.api.service import AppLifecycle, RoomService
from livebot.api.services import Services
from livebot.api.table import all_routes
from livebot.errors import ConfigError
from livebot.metrics import Metrics
from livebot.settings import Bind, Settings

MAX_BODY_BYTES = 64 * 1024
"""A request with 32 TURN servers is a few KiB."""

MAX_HEADERS = 64
MAX_HEADER_BYTES = 4096
"""Of one header, and of a request's first line: all connections together hold 128 MiB at most."""

LINGER_S = 1.0
"""How long the rest of a refused body is read, so that its sender sees the answer."""

IDLE_S = 30.0
"""How long a connection may stay without a whole request: who sends slowly holds none longer."""

SHUTDOWN_S = 2.0
"""How long requests under way may take to end."""

_silent = logging.getLogger("livebot.api.aiohttp")


def make_app(
    backends: Mapping[str, RoomService],
    settings: Settings,
    metrics: Metrics,
    *,
    apps: Mapping[str, AppLifecycle] | None = None,
    services: Services | None = None,
) -> web.Application:
    """Return the application; it serves the table of routes and nothing else.

    Args:
        backends: The rooms of each Nextcloud, under the names of `settings.per_backend()`.
        settings: Of the whole service.
        metrics: What is counted.
        apps: Who looks after the app in each Nextcloud; nothing where this is none.
        services: What there is besides captions in calls.

    Raises:
        ConfigError: The credentials in the settings do not tell callers apart.
    """
    found = Backends(backends, settings.per_backend(), apps)
    services = services or Services()
    routes = all_routes(found, metrics, services)
    guarded = guard(
        settings, routes, redeem=services.tickets.redeem, find_share=services.find_share
    )
    middlewares = [while_served, errors_to_json, guarded, within_deadline(routes)]
    if found.have_apps:
        middlewares.append(while_enabled(found))
    served = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
    allow_origins(served, settings.cors_origins)
    _add(served, routes)
    return served


def _add(served: web.Application, routes: Iterable[Route]) -> None:
    for route in routes:
        if route.method == "GET":
            # HEAD comes with it.
            served.router.add_get(route.path, route.handler, expect_handler=_go_on)
        else:
            served.router.add_route(route.method, route.path, route.handler, expect_handler=_go_on)


async def _go_on(request: web.Request) -> None:
    """Let a body come that waits to be asked for; other expectations are nothing to us.

    aiohttp would quote them, to whoever asks.
    """
    is_known = request.headers[hdrs.EXPECT].lower() == "100-continue"
    if is_known and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # nothing of the answer is sent yet


@asynccontextmanager
async def serve(app: web.Application, bind: Bind) -> AsyncIterator[int]:
    """Listen until the context is left.

    Yield the port, which matters where 0 was asked for; 0 where it is no port but a unix socket.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    # aiohttp's access log would show room tokens, its error log what strangers send: malformed
    # headers with the keys in them.
    _silent.disabled = True
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        with closing(await _listen(runner, bind)) as listening:
            yield 0 if bind.socket else listening.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()
        if bind.socket:
            await asyncio.to_thread(unix.remove, bind.socket)


async def _listen(runner: web.AppRunner, bind: Bind) -> asyncio.Server:
    server = runner.server
    if server is None:
        raise RuntimeError("the runner was not set up")

    limit = most_connections(raise_descriptor_limit())
    loop = asyncio.get_running_loop()
    http = partial(
        Http,
        server,
        loop=loop,
        access_log=None,  # type: ignore[arg-type]  # which is what switches it off
        logger=_silent,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
        # No route takes what is compressed, and strangers' 100 KiB may be seconds of work.
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
    )
    protocol = Connections(http, limit).protocol_factory
    try:
        if bind.socket:
            bound = await asyncio.to_thread(unix.bind, bind.socket)
            return await loop.create_unix_server(protocol, sock=bound, backlog=BACKLOG)
        return await loop.create_server(protocol, bind.host, bind.port, backlog=BACKLOG)
    except (OSError, UnicodeError) as exc:
        raise ConfigError(_cure(bind, exc)) from exc


def _cure(bind: Bind, exc: OSError | UnicodeError) -> str:
    why = exc.strerror if isinstance(exc, OSError) else "no host has such a name"
    if bind.socket:
        return f"cannot listen on {bind.socket} ({why}); end who listens there"
    return (
        f"cannot listen on {bind.host} port {bind.port} ({why});"
        " change HOST or PORT, or stop who listens there"
    )
