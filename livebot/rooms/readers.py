"""Who of a room asked for captions, and how each of them wants to read."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from livebot.captions.segmenter import Mode
from livebot.errors import BusyError, NotAReaderError
from livebot.ids import NO_TALK_SESSION, SessionId, TalkSessionId

MOST_READERS = 1000
"""So many sessions may have asked in one room; of more, those who are not in the call go."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How one reader wants to read.

    Attributes:
        mode: How captions are shown to this reader; None where the settings decide.
        target: The language to read in; None for the one that is spoken.
    """

    mode: Mode | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody in the call who gets captions.

    Attributes:
        session: Where they go.
        mode: How they are shown there.
        target: The language to read in; None for the one that is spoken.
        talk: The same page as Talk names it; empty where that is not known.
    """

    session: SessionId
    mode: Mode
    target: str | None = None
    talk: TalkSessionId = NO_TALK_SESSION


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a caption is for: readers to whom all that is set here applies.

    Attributes:
        mode: Those who read in this mode; None for both.
        language: Those who read in this language; None for all, as for notices.
        is_spoken: Whether it is what is spoken: also for those who want no other language.
        only: The one page in Talk that it is for; None for all.
    """

    mode: Mode | None = None
    language: str | None = None
    is_spoken: bool = True
    only: TalkSessionId | None = None

    def __contains__(self, reader: Reader) -> bool:
        return (
            self.mode in (None, reader.mode)
            and self.only in (None, reader.talk)
            and (
                self.language in (None, reader.target)
                or (self.is_spoken and reader.target is None)
            )
        )


ALL_READERS = Audience()


class Readers:
    """The readers of one room.

    Those who asked are known by their Talk session, long before and after they are in the
    call; `present()` says who of them is. A session that is in no list of this room never
    gets anything: the signaling server would deliver it.

    Args:
        mode: How captions are shown to whoever did not say.
        everybody: Whether all people in the call read, asked or not.
        wishes: Of those who asked already.

    Attributes:
        version: Another one after each change of the wishes.
    """

    def __init__(
        self,
        mode: Mode,
        *,
        everybody: bool = False,
        wishes: Mapping[TalkSessionId, Wish] | None = None,
    ) -> None:
        self.mode = mode
        self.everybody = everybody
        self.version = 0
        self._wishes = dict(wishes or {})

    @property
    def wishes(self) -> Mapping[TalkSessionId, Wish]:
        """Who asked, and for what."""
        return self._wishes

    def ask(self, who: TalkSessionId, wish: Wish, *, here: Collection[TalkSessionId] = ()) -> None:
        """Let somebody read from now on, or in another way.

        Args:
            who: Their page in Talk.
            wish: In which way.
            here: Who is in the call. Where too many have asked, the one who did so first and is
                not among them is forgotten.

        Raises:
            BusyError: Too many who are in the call have asked.
        """
        if who not in self._wishes and len(self._wishes) >= MOST_READERS:
            gone = next((each for each in self._wishes if each not in here), None)
            if gone is None:
                raise BusyError(f"{MOST_READERS} readers have asked in this room")
            del self._wishes[gone]
        self._wishes[who] = wish
        self.version += 1

    def withdraw(self, who: TalkSessionId) -> bool:
        """Let somebody read no more; say whether they did."""
        self.version += 1
        return self._wishes.pop(who, None) is not None

    def check(self, who: TalkSessionId) -> None:
        """Check that somebody has asked.

        Raises:
            NotAReaderError: They have not.
        """
        if who not in self._wishes:
            raise NotAReaderError("this session has not asked for captions in this room")

    def set_target(self, who: TalkSessionId, target: str | None) -> None:
        """Change the language somebody reads in.

        Raises:
            NotAReaderError: They have not asked for captions.
        """
        self.check(who)
        self._wishes[who] = replace(self._wishes[who], target=target)
        self.version += 1

    def present(self, people: Mapping[SessionId, TalkSessionId]) -> Iterator[Reader]:
        """Yield who of the people in the call reads.

        Args:
            people: Everybody in the call but bots: the session, and its Talk session where known.
        """
        for session, talk in people.items():
            wish = self._wishes.get(talk) if talk else None
            if wish is not None:
                yield Reader(session, wish.mode or self.mode, wish.target, talk)
            elif self.everybody:
                yield Reader(session, self.mode, None, talk)
