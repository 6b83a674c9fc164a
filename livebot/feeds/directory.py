"""All feeds of the process, by what they are of."""

from collections.abc import Iterator
from contextlib import contextmanager

from livebot.errors import NotFoundError
from livebot.feeds.feed import Feed


def room_feed(backend: str, token: str) -> str:
    """Return the name of a call's feed."""
    return f"room/{backend}/{token}"


def live_feed(session: str) -> str:
    """Return the name of a live session's feed."""
    return f"live/{session}"


class Feeds:
    """Feeds that are open."""

    def __init__(self) -> None:
        self._open: dict[str, Feed] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def listed(self, feed: Feed) -> Iterator[Feed]:
        """Let readers find a feed inside of the context; it is closed when that is left."""
        self._open[feed.name] = feed
        try:
            yield feed
        finally:
            if self._open.get(feed.name) is feed:
                del self._open[feed.name]
            feed.close()

    def get(self, name: str) -> Feed:
        """Return a feed.

        Raises:
            NotFoundError: It is not open.
        """
        if (found := self._open.get(name)) is None:
            raise NotFoundError("nothing is said there now")
        return found
