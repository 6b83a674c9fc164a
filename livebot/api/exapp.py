"""The life of an app of Nextcloud: AppAPI looks whether it lives, prepares and enables it."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from livebot.api import schemas
from livebot.api.backends import Backends
from livebot.api.errors import Handler
from livebot.api.replies import reply
from livebot.api.routes import Access, Route
from livebot.api.service import AppLifecycle
from livebot.errors import BusyError, RequestError

_ON = {"1": True, "true": True, "0": False, "false": False}


class ExApp:
    """The routes that AppAPI calls; without an app, the heartbeat alone.

    Args:
        backends: The Nextclouds, each with its app.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        heartbeat = Route(
            method="GET",
            path="/heartbeat",
            handler=_heartbeat,
            access=Access.OPEN,
            summary="Say that the process lives",
            answers={200: schemas.Heartbeat},
        )
        if not self._backends.have_apps:
            return [heartbeat]
        return [heartbeat, *_Life(self._backends).routes()]


class _Life:
    """What a Nextcloud says of its own app: it knows nothing about those of the others."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/init",
                handler=self._init,
                access=Access.APP,
                summary="Prepare the app, and report the progress to Nextcloud",
                answers={200: schemas.Nothing},
            ),
            Route(
                method="GET",
                path="/enabled",
                handler=self._is_enabled,
                access=Access.APP,
                summary="Say whether the app is enabled",
                answers={200: schemas.Enabled},
            ),
            Route(
                method="PUT",
                path="/enabled",
                handler=self._enable,
                access=Access.APP,
                summary="Enable or disable the app",
                query={"enabled": True},
                answers={200: schemas.EnabledChange},
            ),
        ]

    async def _init(self, request: web.Request) -> web.Response:
        self._app(request).begin_init()
        return reply(schemas.Nothing())

    async def _is_enabled(self, request: web.Request) -> web.Response:
        return reply(schemas.Enabled(self._app(request).enabled))

    async def _enable(self, request: web.Request) -> web.Response:
        on = _ON.get(request.query.get("enabled", ""))
        if on is None:
            raise RequestError("enabled must be 1 or 0")
        return reply(schemas.EnabledChange(await self._app(request).set_enabled(on)))

    def _app(self, request: web.Request) -> AppLifecycle:
        app = self._backends.of(request).app
        if app is None:
            raise RequestError("there is no app in this backend")
        return app


def while_enabled(backends: Backends) -> Middleware:
    """Return the middleware that serves no calls of a Nextcloud which has the app disabled."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            return await handler(request)
        apps = [backend.app for backend in backends.visible(request) if backend.app]
        enabled = [app for app in apps if app.enabled]
        if apps and not enabled:
            raise BusyError("livebot is disabled in Nextcloud; enable the app there")
        answer = await handler(request)
        for app in enabled:
            if not app.enabled:
                # The handler waited meanwhile: what it began ends as well.
                await app.set_enabled(False)
        return answer

    return check


async def _heartbeat(_: web.Request) -> web.Response:
    return reply(schemas.Heartbeat())
