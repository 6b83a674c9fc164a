"""One live session: a client's audio on its way to events."""

from livebot.feeds.feed import Feed
from livebot.live.options import LiveOptions


class LiveSession:
    """One client's audio; see `LiveSessions.open()`.

    Attributes:
        id: 32 hexadecimal digits, not to be guessed.
        options: What the client declared.
        feed: What is said.
    """

    id: str
    options: LiveOptions
    feed: Feed

    @property
    def position(self) -> float:
        """Return up to where audio was taken, in seconds of the session's time line.

        After a restart of the service: up to where all words were told. A client that still has
        what it recorded since sends it again.
        """
        raise NotImplementedError

    def begin_at(self, seconds: float) -> None:
        """Say where on the time line the next audio begins; what is left out becomes a gap.

        Raises:
            RequestError: That is before `position`, or hours after it.
        """
        raise NotImplementedError

    async def send(self, data: bytes) -> None:
        """Take audio as it was declared; waits where it comes much faster than it was spoken.

        Raises:
            RequestError: It cannot be decoded.
        """
        raise NotImplementedError

    async def finalize(self) -> None:
        """Complete what was said so far; returns when its finals are in the feed."""
        raise NotImplementedError

    def keepalive(self) -> None:
        """Note that the client is there, though it sends no audio."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Take no more audio; returns when the last words are in the feed, which is closed."""
        raise NotImplementedError

    def detach(self) -> None:
        """Note that the client is gone; the session waits for it for a while, then finishes."""
        raise NotImplementedError
