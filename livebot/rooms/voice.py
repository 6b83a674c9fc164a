"""One speaker's words on their way to readers of the page and to the transcript."""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from livebot.audio.pipeline import Chunk
from livebot.captions.gap import Cause
from livebot.captions.gap import Gap as RoomGap
from livebot.feeds.assembly import Assembly
from livebot.feeds.events import Final, Gap, Interim, Speaker
from livebot.ids import SessionId
from livebot.rooms.account import Account
from livebot.rooms.clock import RoomClock
from livebot.rooms.people import People
from livebot.rooms.recorder import Piece, Recorder
from livebot.stt.engine import SttEvent

IDLE_AFTER_S = 1.2
"""Where an engine tells no pauses, so much time without words is one."""

STREAM_OVER_S = 5.0
"""Where it does, its stream has ended before the pause: nobody will tell it any more."""


class Listener(Protocol):
    """What a speaker tells of what is heard; nothing of it may block."""

    def heard(self, event: SttEvent) -> None:
        """Take a word, a pause or tentative text, on the room's time line, each word once."""

    def chunk(self, chunk: Chunk) -> None:
        """Take a chunk of audio."""

    def finish(self) -> None:
        """Note that nothing more comes."""


class Nobody:
    """A listener who takes no notice."""

    def heard(self, event: SttEvent) -> None:
        """Take no notice."""

    def chunk(self, chunk: Chunk) -> None:
        """Take no notice."""

    def finish(self) -> None:
        """Take no notice."""


class Voice:
    """One speaker; all that comes out goes to the account of where it was said.

    Args:
        session: Who.
        account: Where what is said goes.
        people: Who that is.
        clock: The room's time line.
        language: What is spoken; empty where nobody knows.
        tells_pauses: Whether the engine does.
        on_change: Called when `deadline` may be another.
    """

    def __init__(
        self,
        session: SessionId,
        account: Account,
        *,
        people: People,
        clock: RoomClock,
        language: str,
        tells_pauses: bool,
        on_change: Callable[["Voice"], None],
    ) -> None:
        self.session = session
        self.account = account
        self.deadline: float | None = None
        self.is_finished = False
        self._people = people
        self._clock = clock
        self._language = language
        self._idle_after = STREAM_OVER_S if tells_pauses else IDLE_AFTER_S
        self._on_change = on_change
        self._assembly = self._assemble()
        self._recorder = Recorder()
        self._gaps: dict[Cause, str] = {}

    @property
    def person(self) -> str:
        """By what this speaker is erased."""
        return self._people.person(self.session)

    def heard(self, event: SttEvent) -> None:
        """Take a word, a pause or tentative text, on the room's time line."""
        self._say(self._assembly.feed(event, self._clock.now()))

    def tick(self, now: float) -> None:
        """Tell what is due by now, on the room's time line."""
        self._say(self._assembly.tick(now))

    def chunk(self, chunk: Chunk) -> None:
        """Take audio, where it may be kept: nowhere else is a byte of it looked at."""
        if self.account.keeps_audio:
            self._hear(self._recorder.feed(chunk))

    def missed(self, gap: RoomGap) -> None:
        """Take a report of missing words; any number of them until the one with its end."""
        name = self._gaps.get(gap.cause) or self.account.name()
        self._gaps[gap.cause] = name
        if gap.end is not None:
            del self._gaps[gap.cause]
        who = self._people.speaker(self.session)
        told = Gap(name, gap.cause.value, gap.start, gap.end, gap.lost_s, who)
        self.account.miss(told, self.person)

    def set_language(self, language: str) -> None:
        """Note what is spoken from now on."""
        self._language = self._assembly.language = language

    def forget(self) -> None:
        """Drop what is not complete yet, words and audio."""
        self._assembly = self._assemble()
        self._recorder.forget()
        self.deadline = None

    def cut(self) -> None:
        """Complete what was said and heard so far: what follows is kept otherwise."""
        self._say(self._assembly.finish())
        self._hear(self._recorder.finish())

    def finish(self) -> None:
        """Tell the last of it. May be called twice."""
        self.cut()
        self.is_finished = True
        self.deadline = None
        self._on_change(self)

    def _assemble(self) -> Assembly:
        return Assembly(
            Speaker(),
            self._language,
            name=self.account.name,
            idle_after=self._idle_after,
        )

    def _say(self, events: list[Interim | Final]) -> None:
        for event in events:
            who = self._people.speaker(self.session)
            if isinstance(event, Final):
                told: Interim | Final = replace(event, speaker=who, latency_ms=self._late(event))
            else:
                told = replace(event, speaker=who)
            self.account.say(told, self.person)
        self.deadline = None if self.is_finished else self._assembly.next_deadline
        self._on_change(self)

    def _late(self, said: Final) -> int | None:
        """Return how long ago the last word ended; None where nobody knows."""
        end = said.words[-1].end
        return None if end is None else max(0, round((self._clock.now() - end) * 1000))

    def _hear(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self.account.hear(piece, self.person)
