"""Live sessions in the form of OpenAI's realtime transcription."""

from livebot.api.routes import Route
from livebot.api.services import Services


class Realtime:
    """The routes.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return []
