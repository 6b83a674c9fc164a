"""Transcripts: look, search, fetch, erase."""

from livebot.api.backends import Backends
from livebot.api.routes import Route
from livebot.api.services import Services


class Transcripts:
    """The routes.

    Args:
        services: What there is.
        backends: The Nextclouds.
    """

    def __init__(self, services: Services, backends: Backends) -> None:
        self._services = services
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return []
