"""Live sessions in the form of Deepgram's `/v1/listen`."""

from livebot.api.routes import Route
from livebot.api.services import Services


class Deepgram:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return []
