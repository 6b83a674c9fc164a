"""OpenAI's routes for files, as its clients expect them."""

from livebot.api.routes import Route
from livebot.api.services import Services


class OpenAI:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return []
