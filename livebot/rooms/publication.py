"""What a room's readers get: captions and translations, what was said before, what is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from livebot.captions.caption import Caption
from livebot.captions.gap import Gap
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.delivery import Channel, Delivery
from livebot.rooms.lanes import TRANSLATED
from livebot.rooms.losses import Losses
from livebot.rooms.outbox import Outgoing
from livebot.rooms.readers import Audience, Reader, Readers
from livebot.rooms.roster import Roster
from livebot.rooms.translations import Translations
from livebot.translator import Translator

log = structlog.get_logger("room")

SENDING_S = 1.0
"""How long leaving waits for the last captions to be sent."""

TRANSLATING_S = 1.0
"""How long leaving waits for the last translations; what is not done then goes out as spoken."""


@dataclass(frozen=True, slots=True)
class PublicationOptions:
    """How the readers of a room are served.

    Attributes:
        readers: Who asked, and who will.
        language: What is spoken, to begin with.
        notices: Whether readers are told where captions are missing.
        history_s: For how long captions are kept for readers who come late.
        translator: Who translates; None for nobody.
    """

    readers: Readers
    language: str
    notices: bool = True
    history_s: float = 0.0
    translator: Translator | None = field(default=None, repr=False)


class Publication:
    """The readers' half of one room.

    Args:
        options: How.
        channel: The signaling conversation.
        roster: Who is in the call.
        clock: The room's time line.
        is_here: Asked whether a speaker is listened to.
        on_gap: Called with what is lost of whom, once it is known, and once it is over.
        metrics: What is counted.

    Attributes:
        language: What is spoken: the language of the captions from now on.
        losses: What readers miss.
    """

    def __init__(
        self,
        options: PublicationOptions,
        *,
        channel: Channel,
        roster: Roster,
        clock: RoomClock,
        is_here: Callable[[SessionId], bool],
        on_gap: Callable[[SessionId, Gap], None] = lambda _session, _gap: None,
        metrics: Metrics,
    ) -> None:
        self.language = options.language
        self._readers = options.readers
        self._roster = roster
        self._clock = clock
        self._greeted: frozenset[SessionId] = frozenset()
        self._present: tuple[object, list[Reader]] = (None, [])
        self._finishing = asyncio.Event()
        self._delivery = Delivery(
            channel,
            readers=lambda: self.present,
            clock=clock,
            metrics=metrics,
            notices=options.notices,
            history_s=options.history_s,
            heir=roster.heir,
        )
        self.losses = Losses(metrics, on_notice=self._put, is_here=is_here, on_gap=on_gap)
        self._translations = Translations(
            options.translator, targets=self._targets, on_done=self._translated, metrics=metrics
        )

    @property
    def present(self) -> list[Reader]:
        """Who reads now; asked for each caption, of which there may be dozens in a second."""
        version = self._roster.version, self._readers.version, self._readers.everybody
        if self._present[0] != version:
            self._present = version, list(self._readers.present(self._roster.people))
        return self._present[1]

    @property
    def sent(self) -> int:
        """Captions that have arrived."""
        return self._delivery.sent

    # What the room notices.

    def publish(self, session: SessionId, caption: Caption | Gap) -> None:
        """Take over a speaker's caption, or what is lost of it; never waits."""
        if isinstance(caption, Gap):
            self.losses.note(session, caption)
            return
        self.losses.caption(session, caption, self._clock.now())
        self._put(session, caption)
        if caption.final and caption.mode == TRANSLATED:
            self._translations.put(session, caption, self.language)

    def told(self) -> None:
        """Note that we know who is in the call, and who came or went."""
        self._delivery.told.set()
        asked = {
            reader.session: reader
            for reader in self.present
            if reader.talk in self._readers.wishes
        }
        for session in asked.keys() - self._greeted:
            reader = asked[session]
            self._delivery.greet(reader, self._translations.coming(reader.target))
        self._greeted = frozenset(asked)

    def untold(self, *, is_return: bool = False) -> None:
        """Note that we no longer know, and whether everybody was put out and may be back."""
        if is_return:
            self._delivery.expect_return()
        self._delivery.told.clear()

    def moved(self) -> None:
        """Note that we go on in another room, whose people did not hear what was said here."""
        self._delivery.forget()
        self.untold()

    @property
    def is_told(self) -> bool:
        """Whether we know who is in the call."""
        return self._delivery.told.is_set()

    # Sending.

    async def run(self) -> None:
        """Send what there is until `finish()` has been called, and then the last of it."""
        async with asyncio.TaskGroup() as group:
            translating = group.create_task(self._translations.run(), name="translate")
            delivering = group.create_task(self._delivery.run(), name="deliver")
            await self._finishing.wait()
            self._translations.close()
            await asyncio.wait([translating], timeout=TRANSLATING_S)
            translating.cancel()  # what it has not done comes out as it is
            await asyncio.wait([translating])
            self._delivery.close()
            _, late = await asyncio.wait([delivering], timeout=SENDING_S)
            for task in late:
                log.warning("captions_lost", count=self._delivery.waiting)
                task.cancel()

    def finish(self) -> None:
        """Take no more captions; `run()` ends soon."""
        self._finishing.set()

    def _put(self, session: SessionId, caption: Caption | Gap) -> None:
        if isinstance(caption, Gap):
            self._delivery.put(Outgoing(session, caption, self.language))
        else:
            audience = Audience(mode=caption.mode, language=self.language)
            self._delivery.put(Outgoing(session, caption, self.language, audience))

    def _targets(self) -> frozenset[str]:
        """Return the languages that somebody reads in, besides what is spoken."""
        wanted = {reader.target for reader in self.present if reader.target}
        return frozenset(wanted - {self.language})

    def _translated(
        self, session: SessionId, caption: Caption, target: str, language: str
    ) -> None:
        audience = Audience(language=target, is_spoken=False)
        self._delivery.put(Outgoing(session, caption, language, audience))
