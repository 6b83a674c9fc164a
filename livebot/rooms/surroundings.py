"""What the rooms are told about the rest of the service, and what they tell it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from livebot.feeds.directory import Feeds
from livebot.rooms.archive import Archive
from livebot.rooms.talk import TalkSettings
from livebot.rooms.wanted import WantedRoom
from livebot.settings import DEFAULT_BACKEND
from livebot.translator import Translator


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The rest of the service, as the rooms of one backend see it.

    Attributes:
        overload: Why no more can be taken, one short sentence each; empty where it can.
        full: Why the process may have no more rooms, whoever asks; overload is not among it.
        may_listen: Asked whether the process may listen to one more speaker.
        troubles: What else is wrong in the service, for the health check.
        keep: Called with all rooms that are wanted whenever that changes; must not block.
        found: The rooms that were wanted before the restart.
        talk: Where the peers of a call are; None for what the settings say.
        translator: Who translates; None for nobody.
        name: The backend's name here.
        feeds: Where those who read along find the rooms.
        archive: Where transcripts go; None for nowhere.
    """

    overload: Callable[[], Sequence[str]] = tuple
    full: Callable[[], Sequence[str]] = tuple
    may_listen: Callable[[], bool] = lambda: True
    troubles: Callable[[], Sequence[str]] = tuple
    keep: Callable[[Iterable[WantedRoom]], None] = lambda _: None
    found: Sequence[WantedRoom] = ()
    talk: TalkSettings | None = None
    translator: Translator | None = field(default=None, repr=False)
    name: str = DEFAULT_BACKEND
    feeds: Feeds = field(default_factory=Feeds)
    archive: Archive | None = None
