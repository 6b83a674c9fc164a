"""The life of an app of Nextcloud: AppAPI looks whether it lives, prepares and enables it."""

from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from livebot.api import schemas
from livebot.api.errors import Handler
from livebot.api.replies import reply
from livebot.api.routes import Access, Route
from livebot.errors import BusyError, RequestError

_ON = {"1": True, "true": True, "0": False, "false": False}


class AppLifecycle(Protocol):
    """What the API needs from whoever looks after the app; nothing waits for a peer."""

    @property
    def enabled(self) -> bool:
        """Whether Nextcloud lets the app work."""

    async def set_enabled(self, on: bool) -> str:  # noqa: FBT001  # it is the only one
        """Begin to work or cease, once more or not; return why not, or nothing.

        Done within 2.5 s: what takes longer goes on in the background.
        """

    def begin_init(self) -> None:
        """Begin to prepare, and to tell Nextcloud about the progress, in the background."""


class ExApp:
    """The routes that AppAPI calls.

    Args:
        app: Who looks after it; None where this is no app, which leaves the heartbeat.
    """

    def __init__(self, app: AppLifecycle | None) -> None:
        self._app = app

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
        return [heartbeat] if self._app is None else [heartbeat, *_Life(self._app).routes()]


class _Life:
    def __init__(self, app: AppLifecycle) -> None:
        self._app = app

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

    async def _init(self, _: web.Request) -> web.Response:
        self._app.begin_init()
        return reply(schemas.Nothing())

    async def _is_enabled(self, _: web.Request) -> web.Response:
        return reply(schemas.Enabled(self._app.enabled))

    async def _enable(self, request: web.Request) -> web.Response:
        on = _ON.get(request.query.get("enabled", ""))
        if on is None:
            raise RequestError("enabled must be 1 or 0")
        return reply(schemas.EnabledChange(await self._app.set_enabled(on)))


def while_enabled(app: AppLifecycle) -> Middleware:
    """Return the middleware that serves no calls while Nextcloud has the app disabled."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/") and not app.enabled:
            raise BusyError("livebot is disabled in Nextcloud; enable the app there")
        return await handler(request)

    return check


async def _heartbeat(_: web.Request) -> web.Response:
    return reply(schemas.Heartbeat())
