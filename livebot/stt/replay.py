"""What an engine has taken and not answered yet: sent again where its stream is lost.

An engine that says when a word was spoken answers all audio up to there. One that does not
is taken to work through its audio in order, a little faster than it was spoken, and to say
each word at most `LAG_S` after that; what it may not have answered is sent again, and what
the next stream then says twice is for `continuation.py`.
"""

from collections import deque
from dataclasses import dataclass
from itertools import dropwhile

from livebot.audio.pipeline import Chunk

LAG_S = 4.0
"""From a sound to its word, where words carry no times: 2.5 s is the larger model's delay, and
a word comes only with what follows it."""

MARGIN_S = 0.6
"""Audio before the end of the last word that is sent again: the next word has an onset."""

PACE = 1.5
"""So much faster than speech an engine is at least while it catches up."""

MOST_FORGOTTEN = 600
"""So many pieces that may be speech are named as forgotten, the newest: two minutes. Music may
go on for hours without a word."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk, whether it is more than silence, and whether it may be speech."""

    chunk: Chunk
    is_sound: bool = True
    is_speech: bool = True


@dataclass(frozen=True, slots=True)
class _Sent:
    piece: Piece
    done_at: float  # when an engine without word times has worked through it


class Replay:
    """One speaker's audio that may have to be sent again.

    Args:
        limit_s: How much is kept; of more the oldest is forgotten.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._sent: deque[_Sent] = deque()
        self._seconds = 0.0
        self._busy_until = float("-inf")
        self._forgotten: deque[Piece] = deque(maxlen=MOST_FORGOTTEN)

    @property
    def seconds(self) -> float:
        """Return how much is kept."""
        return self._seconds

    @property
    def end(self) -> float | None:
        """Return the session time up to which audio was sent; None where none is kept."""
        return self._sent[-1].piece.chunk.end if self._sent else None

    def sent(self, piece: Piece, now: float) -> None:
        """Note that the engine has taken a piece at `now`, seconds on any steady clock."""
        self._busy_until = max(self._busy_until, now) + piece.chunk.seconds / PACE
        self._sent.append(_Sent(piece, self._busy_until))
        self._seconds += piece.chunk.seconds
        while self._seconds > self._limit_s and len(self._sent) > 1:
            if (oldest := self._drop()).is_speech:
                self._forgotten.append(oldest)

    def answered(self, end: float | None, now: float) -> None:
        """Note a word; `end` is when it was spoken to the end, where the engine says so."""
        self._forgotten.clear()
        while self._sent and self._is_answered(self._sent[0], end, now):
            self._drop()

    def take_back(self) -> list[Piece]:
        """Return all that must be sent again, oldest first: the stream is lost.

        Silence before the first sound is not.
        """
        pieces = [sent.piece for sent in self._sent]
        self.clear()
        return list(dropwhile(lambda piece: not piece.is_sound, pieces))

    def cut(self) -> list[Piece]:
        """Return what must be sent again: the stream ended in order, but in the middle of a word.

        No word is so long, or so late, that it began before `LAG_S` ago.
        """
        self.answered((self.end or 0.0) - LAG_S + MARGIN_S, now=0.0)
        return self.take_back()

    def forget(self) -> list[Piece]:
        """Return the speech there was no room for since the engine last answered."""
        pieces = list(self._forgotten)
        self._forgotten.clear()
        return pieces

    def clear(self) -> None:
        """Forget all: the stream ended in order, and every word is out."""
        self._sent.clear()
        self._forgotten.clear()
        self._seconds = 0.0
        self._busy_until = float("-inf")

    @staticmethod
    def _is_answered(sent: _Sent, end: float | None, now: float) -> bool:
        if end is None:
            return sent.done_at + LAG_S <= now
        return sent.piece.chunk.end <= end - MARGIN_S

    def _drop(self) -> Piece:
        piece = self._sent.popleft().piece
        self._seconds -= piece.chunk.seconds
        return piece
