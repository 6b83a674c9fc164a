"""One live session: a client's audio on its way to events."""

from livebot.errors import BusyError
from livebot.feeds.feed import Feed
from livebot.live.clients import End
from livebot.live.options import LiveOptions
from livebot.live.transcription import Transcription


class LiveSession:
    """One client's hold on a session; see `LiveSessions.open()`.

    Who comes back gets another one, and this one is told to go. So a client that hangs does
    nothing to the one that took its place.

    Args:
        transcription: What it holds on to.

    Attributes:
        id: 32 hexadecimal digits, not to be guessed.
        options: What the client declared.
        feed: What is said.
    """

    def __init__(self, transcription: Transcription) -> None:
        self.id = transcription.plan.id
        self.options: LiveOptions = transcription.plan.options
        self.feed: Feed = transcription.feed
        self._transcription = transcription
        self._client = transcription.attach()

    @property
    def position(self) -> float:
        """Return up to where audio was taken, in seconds of the session's time line.

        After a restart of the service: up to where all words were told. A client that still has
        what it recorded since sends it again.
        """
        return self._transcription.position

    @property
    def resume_s(self) -> float:
        """Return for how long the session waits for a client that is gone."""
        return self._transcription.plan.resume_s

    @property
    def is_over(self) -> bool:
        """Whether no more audio is taken: it was finished, or the service stops."""
        return self._transcription.is_over

    def begin_at(self, seconds: float) -> None:
        """Say where on the time line the next audio begins; what is left out becomes a gap.

        Raises:
            RequestError: That is before `position`, or hours after it.
            BusyError: The session is over, or another client's.
        """
        self._check()
        self._transcription.begin_at(seconds)

    async def send(self, data: bytes) -> None:
        """Take audio as it was declared; waits where it comes much faster than it was spoken.

        Raises:
            RequestError: It cannot be decoded.
            BusyError: The session is over, or another client's.
        """
        self._check()
        await self._transcription.send(data)

    async def finalize(self) -> None:
        """Complete what was said so far; returns when its finals are in the feed.

        Where the engine is away or slow it returns after ten seconds, and they come later.

        Raises:
            BusyError: The session is over, or another client's.
        """
        self._check()
        await self._transcription.finalize()

    def keepalive(self) -> None:
        """Note that the client is there, though it sends no audio."""
        self._transcription.keepalive(self._client)

    async def finish(self) -> None:
        """Take no more audio; returns when the last words are in the feed, which is closed."""
        if self._transcription.is_of(self._client):
            self._transcription.finish()
        await self._transcription.finished()

    def detach(self) -> None:
        """Note that the client is gone; the session waits for it for a while, then finishes."""
        self._transcription.detach(self._client)

    def fell_behind(self) -> None:
        """Count that the client was too slow for single events."""
        self._transcription.fell_behind()

    async def ended(self) -> End:
        """Wait until the client is to go, and return why.

        Unless another client took its place or it gave no sign of life, the feed is closed then.
        """
        return await self._client.wait()

    def _check(self) -> None:
        if not self._transcription.is_of(self._client):
            raise BusyError("another client goes on with this session, or gave it up: resume it")
        if self._transcription.is_over:
            raise BusyError("the session is over: open another one")
