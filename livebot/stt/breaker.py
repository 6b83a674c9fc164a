"""Who may try an engine that failed: nobody for a while, then one, then all (pure).

A stream that cannot be opened opens the breaker at once. Streams that are lost later do so only
where two in a row gave no word: an endpoint that ends a stream now and then is not dead. Each
failure of the one that tries makes the next rest longer.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

FIRST_S = 1.0
MOST_S = 60.0
"""The first rest of an engine, and the longest."""

BUSY_MOST_S = 8.0
"""An engine that is full is not dead: a place may be free any moment."""

WORDLESS = 2
"""So many streams lost in a row without a word open the breaker."""


class Failure(StrEnum):
    """How an engine failed, as the metrics name it."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    BUSY = "busy"
    LOST = "failed"
    STALLED = "stalled"


class State(Enum):
    """Who is let in: all, nobody, or one that tries."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(slots=True)
class Breaker:
    """Lets streams in or not. Whoever was let in says what became of the stream.

    Args:
        most_s: The longest rest, for an engine that nobody can replace.
    """

    most_s: float = MOST_S
    _tickets: int = 0
    _wordless: int = 0
    _rests: int = 0
    _rest_until: float | None = None
    _probe: int | None = None
    _is_word_needed: bool = False

    def state(self, now: float) -> State:
        """Say who is let in."""
        if self._rest_until is None:
            return State.CLOSED
        return State.OPEN if now < self._rest_until else State.HALF_OPEN

    @property
    def is_trusted(self) -> bool:
        """Whether nothing speaks against the engine: neither a rest nor words that are due."""
        return self._rest_until is None and not self._is_word_needed

    def retry_in_s(self, now: float) -> float | None:
        """Return when somebody is let in; None while that hangs on the one that tries."""
        if self._rest_until is None:
            return 0.0
        return None if self._probe is not None else max(0.0, self._rest_until - now)

    def enter(self, now: float) -> int | None:
        """Return a ticket for one stream, to be given back; None if it is not let in."""
        state = self.state(now)
        if state is State.OPEN or (state is State.HALF_OPEN and self._probe is not None):
            return None
        self._tickets += 1
        if state is State.HALF_OPEN:
            self._probe = self._tickets
        return self._tickets

    def opened(self, ticket: int, *, is_last: bool) -> None:
        """Note that a stream is open: proof enough where that was what failed.

        Args:
            ticket: The stream's.
            is_last: Whether there is no other engine. Then all are let in to try, before it
                is known whether this stream gives words.
        """
        if not self._is_word_needed:
            self.works()
        elif is_last and ticket == self._probe:
            self._probe = self._rest_until = None

    def works(self) -> None:
        """Note that a stream gave something: all is forgiven."""
        self._wordless = self._rests = 0
        self._probe = self._rest_until = None
        self._is_word_needed = False

    def left(self, ticket: int) -> None:
        """Note that a stream is over which proved nothing."""
        if ticket == self._probe:
            self._probe = None

    def failed(self, ticket: int, failure: Failure, now: float) -> bool:
        """Note that a stream failed; return whether the engine rests because of it.

        Streams from before the rest say nothing new.
        """
        if self._rest_until is not None and ticket != self._probe:
            return False
        if failure in {Failure.LOST, Failure.STALLED}:
            self._wordless += 1
            self._is_word_needed = True
            if self._wordless < WORDLESS and self._probe is None:
                return False
        self._rest(failure, now)
        return True

    def _rest(self, failure: Failure, now: float) -> None:
        longest = min(self.most_s, BUSY_MOST_S) if failure is Failure.BUSY else self.most_s
        # The exponent is bounded so that years of failures do not overflow.
        rest_s = min(longest, FIRST_S * 2.0 ** min(self._rests, 30))
        if failure is Failure.REFUSED:
            rest_s = MOST_S
        self._rests += 1
        self._rest_until = now + rest_s
        self._probe = None
        self._is_word_needed = failure in {Failure.BUSY, Failure.LOST, Failure.STALLED}
