"""What is said in one room of Talk: told to those who read along, and kept where that is wanted.

A call has one of these, and one more for each breakout room it goes on in.
"""

import time
import uuid

from livebot.feeds.events import Event, Final, Gap, Interim
from livebot.feeds.feed import Feed
from livebot.ids import RoomToken, short
from livebot.rooms.archive import Archive
from livebot.rooms.book import Book, Ending
from livebot.rooms.clock import RoomClock
from livebot.rooms.keeping import NOTHING, Erasure, Kept
from livebot.rooms.people import People
from livebot.rooms.recorder import Piece
from livebot.store.records import Kind, StoredGap, StoredUtterance, TranscriptHead


class Account:
    """One room's words.

    Args:
        room: Which.
        feed: Where they are told.
        archive: Where they are kept; None for nowhere.
        head: What is known of a transcript; id, room, title and times are filled in.
        clock: The time line.
        people: Who speaks.
    """

    def __init__(
        self,
        room: RoomToken,
        feed: Feed,
        archive: Archive | None,
        *,
        head: TranscriptHead,
        clock: RoomClock,
        people: People,
    ) -> None:
        self.room = room
        self._feed = feed
        self._archive = archive
        self._head = head
        self._clock = clock
        self._people = people
        self._book: Book | None = None
        self._books: set[str] = set()
        self._kept = NOTHING
        self._utterances = 0

    @property
    def keeps_audio(self) -> bool:
        """Whether audio is kept."""
        book = self._book
        return book is not None and book.head.audio and not book.is_erased

    def name(self) -> str:
        """Return the name of the next utterance, or gap."""
        self._utterances += 1
        return str(self._utterances)

    def keep(self, kept: Kept, language: str) -> None:
        """Keep this from now on; what is kept already stays."""
        if kept == self._kept:
            return
        self._kept = kept
        self.end(language)
        if self._archive and kept.words:
            self._book = self._begin(kept, language)

    def say(self, event: Interim | Final, person: str) -> None:
        """Tell, and keep what is complete."""
        self._publish(event)
        if isinstance(event, Final) and self._archive and self._book:
            said = StoredUtterance(
                text=event.text,
                words=event.words,
                start=event.start,
                end=event.end,
                speaker=event.speaker.name,
                person=person,
                language=event.language,
            )
            self._archive.add(self._book, said)

    def miss(self, gap: Gap, person: str) -> None:
        """Tell that words are missing, and keep that once it is over."""
        self._publish(gap)
        if gap.end is not None and self._archive and self._book:
            kept = StoredGap(
                cause=gap.cause,
                start=gap.start,
                end=gap.end,
                lost_s=gap.lost_s,
                speaker=gap.speaker.name,
                person=person,
            )
            self._archive.add(self._book, kept)

    def hear(self, piece: Piece, person: str) -> None:
        """Keep audio, where everybody agreed."""
        if self._archive and self._book and self.keeps_audio:
            self._archive.sounds.put(self._book, person, piece)

    def forget(self, erasure: Erasure) -> bool:
        """Take back what was said by a person, or here; return whether that is all of it."""
        if erasure.person:
            self._feed.forget(lambda who: self._people.is_speaker(who, erasure.person))
            return False
        if erasure.room != self.room and erasure.transcript not in self._books:
            return False
        self._feed.forget(lambda _: True)
        if self._book and self._book.is_of(erasure):
            # Who erases what is being written does not want it written.
            self._book.is_erased = True
            self._book, self._kept = None, NOTHING
        return True

    def end(self, language: str) -> None:
        """Keep nothing more."""
        book, self._book = self._book, None
        if book and self._archive:
            duration = max(0.0, self._clock.now() - book.origin)
            self._archive.end(book, Ending(time.time(), duration, language))

    def _begin(self, kept: Kept, language: str) -> Book:
        head = TranscriptHead(
            id=uuid.uuid4().hex,
            kind=Kind.CALL,
            owner=self._head.owner,
            backend=self._head.backend,
            room=self.room,
            title=f"Call {short(self.room)}",
            language=language,
            model=self._head.model,
            started_at=time.time(),
            audio=kept.audio,
        )
        self._books.add(head.id)
        return Book(head, self._clock.now())

    def _publish(self, event: Event) -> None:
        if not self._feed.is_closed:
            self._feed.publish(event)
