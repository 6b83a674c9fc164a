"""Which languages are understood: in calls of a Nextcloud, or by the service itself."""

from aiohttp import web

from livebot.api import schemas
from livebot.api.backends import Backends
from livebot.api.replies import reply
from livebot.api.routes import Access, Route
from livebot.api.services import Services


class Languages:
    """The route.

    Args:
        services: What there is; its languages count where there are no calls.
        backends: The Nextclouds.
    """

    def __init__(self, services: Services, backends: Backends) -> None:
        self._services = services
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="GET",
                path="/api/v1/languages",
                handler=self._show,
                access=Access.CALLER,
                summary="Say which languages are understood",
                query=self._backends.query,
                answers={200: dict[str, schemas.Language]},
            )
        ]

    async def _show(self, request: web.Request) -> web.Response:
        if not self._services.calls:
            return reply(schemas.languages(self._services.languages))
        return reply(schemas.languages(self._backends.of(request).rooms.languages))
