"""Audio between the backlog and an engine's stream: heard, sent, and maybe sent again."""

from collections import deque
from collections.abc import Iterator

from livebot.audio.pcm import level_dbfs
from livebot.hearing.backlog import Backlog, Mark
from livebot.stt.lease import OPEN_DBFS, PRE_ROLL_S, SpeechGate
from livebot.stt.replay import Piece, Replay
from livebot.stt.stall import SpeechDetector


class Intake:
    """One speaker's audio in order, with what lost streams did not answer in front.

    Args:
        backlog: Where it comes from.
        replay_s: How much is kept after it was sent.
    """

    def __init__(self, backlog: Backlog, replay_s: float) -> None:
        self._backlog = backlog
        self._unsent: deque[Piece] = deque()
        self._must_send = False  # what is in `_unsent` was taken by a stream that was lost
        self._gate = SpeechGate()
        self._detector = SpeechDetector()
        self._replay = Replay(replay_s)
        self._mark: Mark | None = None  # all that came before it was taken out of the backlog

    @property
    def is_wanted(self) -> bool:
        """Whether a stream is to be held: there is sound, or something left to be sent."""
        return self._gate.is_open or bool(self._unsent)

    @property
    def begins(self) -> float:
        """Return the session time of what is sent next."""
        return self._unsent[0].chunk.start

    @property
    def repeats(self) -> bool:
        """Whether what is sent next was sent before."""
        return self._must_send

    @property
    def sent_until(self) -> float:
        """Return the session time up to which audio was sent and is kept; 0 without any."""
        return self._replay.end or 0.0

    async def sound(self) -> bool:
        """Wait until there is something to be heard; False when no more audio comes.

        What a stream shall hear first, the pre-roll and the sound, comes next then.
        """
        while not (self._must_send or (self._unsent and self._gate.is_open)):
            self._pass()
            piece = await self._take()
            if piece is None and self._mark is None:
                return False
            if piece is None:
                continue
            horizon = piece.chunk.end - PRE_ROLL_S
            while not self._gate.is_open and self._unsent[0].chunk.end < horizon:
                self._unsent.popleft()
        return True

    async def next(self) -> Piece | None:
        """Return what is to be sent next; it stays until `sent()`.

        Returns:
            None when no more comes, or where the stream is to be completed: see `Mark`.
        """
        if self._unsent:
            return self._unsent[0]
        return None if self._mark else await self._take()

    def sent(self, now: float) -> None:
        """Note that a stream has taken what `next()` returned, at `now` on any steady clock."""
        if not self._unsent:
            return  # given up meanwhile, see `drain()`
        self._replay.sent(self._unsent.popleft(), now)
        self._must_send = self._must_send and bool(self._unsent)

    def answered(self, end: float | None, now: float) -> None:
        """Note a word; see `Replay.answered()`."""
        self._replay.answered(end, now)

    def finished(self) -> None:
        """Note that a stream ended in order: everything it took is answered."""
        self._replay.clear()
        if not self._unsent:
            self._pass()

    def cut(self) -> None:
        """Note that a stream ended in order, but in the middle of speech: the next hears that."""
        self.send_again(self._replay.cut())

    def take_back(self) -> list[Piece]:
        """Return what a lost stream had taken and did not answer; none of it is kept here."""
        return self._replay.take_back()

    def forgotten(self) -> list[Piece]:
        """Return what it had taken so long before that it cannot be sent again."""
        return self._replay.forget()

    def send_again(self, pieces: list[Piece]) -> None:
        """Put pieces in front of all others."""
        self._unsent.extendleft(reversed(pieces))
        self._must_send = self._must_send or bool(pieces)

    def drain(self) -> Iterator[Piece]:
        """Take out all that is here and in the backlog; a stream may be at work meanwhile."""
        self._must_send = False
        yield from self.forgotten()
        yield from self.take_back()
        while self._unsent:
            yield self._unsent.popleft()
        self._pass()
        for chunk in self._backlog.drain():
            if isinstance(chunk, Mark):
                chunk.on_passed()
            else:
                yield Piece(chunk)

    def _pass(self) -> None:
        """Leave a mark behind: what comes now is for another stream, once there is sound."""
        if self._mark is not None:
            mark, self._mark = self._mark, None
            self._gate.shut()
            mark.on_passed()

    async def _take(self) -> Piece | None:
        chunk = await self._backlog.get()
        if isinstance(chunk, Mark):
            self._mark = chunk
            return None
        if chunk is None:
            return None
        level = level_dbfs(chunk.samples)
        self._gate.feed(level, chunk.seconds)
        piece = Piece(chunk, level > OPEN_DBFS, self._detector.feed(level, chunk.seconds))
        self._unsent.append(piece)
        return piece
