"""Files as jobs: give, look, cancel, fetch, erase."""

from livebot.api.routes import Route
from livebot.api.services import Services


class Jobs:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return []
