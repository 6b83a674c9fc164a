"""Live sessions without an engine, for tests of what clients are told."""

import asyncio
from typing import Self

from livebot.errors import BusyError, LivebotError, NotFoundError, RequestError
from livebot.feeds.events import EventWord, Final, Interim, Speaker
from livebot.feeds.feed import Feed
from livebot.live.clients import End
from livebot.live.options import LiveOptions

WORDS = ("Some", "words", "are", "said", "here,", "and", "then", "it", "is", "over.")

WORD_S = 0.5


class FakeSession:
    """Hears one word in each piece of audio; what is no audio begins with `!`.

    Attributes:
        signs: How often the client gave a sign of life.
        hangs: Whether the last words never come.
    """

    def __init__(self, ident: str, options: LiveOptions) -> None:
        self.id = ident
        self.options = options
        self.feed = Feed(f"live/{ident}")
        self.received = b""
        self.pieces = 0
        self.signs = 0
        self.is_detached = False
        self.hangs = False
        self.end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._words: list[EventWord] = []
        self._utterances = 0

    @property
    def position(self) -> float:
        """Return up to where audio was taken."""
        return self.pieces * WORD_S

    async def send(self, data: bytes) -> None:
        """Hear a word."""
        if data.startswith(b"!"):
            raise RequestError("this cannot be decoded")
        if self.feed.is_closed:
            raise BusyError("the session is over")
        start = self.position
        word = WORDS[self.pieces % len(WORDS)]
        self.received += data
        self.pieces += 1
        self._words.append(EventWord(word, start, start + WORD_S))
        said = " ".join(each.text for each in self._words)
        stable = len(said) - len(word)
        self.feed.publish(
            Interim(self._name, said, language="en", start=self._words[0].start, stable=stable)
        )

    async def finalize(self) -> None:
        """Complete the utterance."""
        if not self._words:
            return
        words, self._words = tuple(self._words), []
        self.feed.publish(
            Final(
                self._name,
                " ".join(each.text for each in words),
                words,
                Speaker(),
                "en",
                words[0].start or 0.0,
                words[-1].end or 0.0,
            )
        )
        self._utterances += 1

    def keepalive(self) -> None:
        """Count the signs of life."""
        self.signs += 1

    async def finish(self) -> None:
        """Complete the utterance and end."""
        if self.hangs:
            await asyncio.Event().wait()
        if not self.feed.is_closed:
            await self.finalize()
            self.feed.close()
            if not self.end.done():
                self.end.set_result(End.FINISHED)

    async def ended(self) -> End:
        """Wait until the client is to go."""
        return await asyncio.shield(self.end)

    def detach(self) -> None:
        """Note it."""
        self.is_detached = True

    @property
    def _name(self) -> str:
        return f"u{self._utterances}"


class FakeLive:
    """Opens sessions and keeps them; raises `fault` where there is one."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.owners: list[str] = []
        self.fault: LivebotError | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End."""

    async def open(self, owner: str, options: LiveOptions) -> FakeSession:
        """Open one."""
        if self.fault is not None:
            raise self.fault
        self.owners.append(owner)
        self.sessions.append(FakeSession(f"{len(self.sessions):032x}", options))
        return self.sessions[-1]

    async def resume(self, owner: str, session: str) -> FakeSession:
        """Find none."""
        raise NotFoundError(f"{owner} has no {session}")

    async def drain(self, deadline_s: float) -> None:
        """Do nothing."""
