"""The people of one room who are listened to: begun, kept apart, let go."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol, Self

import structlog

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.errors import LivebotError
from livebot.hearing.supervisor import Supervisor
from livebot.ids import SessionId, short
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.reception import Subscription
from livebot.rooms.roster import Roster
from livebot.rooms.speaker import Speaker, SpeakerOptions
from livebot.rooms.status import SpeakerStatus
from livebot.rooms.voice import Listener, Nobody
from livebot.signaling.events import CandidateFound, Offered, SubscriptionRefused
from livebot.stt.engine import SttEngine

log = structlog.get_logger("room")


class Subscriptions(Subscription, Protocol):
    """What is asked of the signaling conversation."""

    def subscribe(self, speaker: SessionId) -> None:
        """Ask for a speaker's audio until it comes; nothing changes where it is wanted already."""

    def unsubscribe(self, speaker: SessionId) -> None:
        """Want a speaker's audio no more."""


class Speakers:
    """One room's speakers; to be entered before the first.

    Args:
        options: What they share.
        engine: Where their audio goes.
        subscriptions: Where their audio comes from.
        clock: The room's time line.
        on_caption: Called with each caption and each gap, in order; must not block.
        may_listen: Asked before each one: may one more be listened to?
        listen: Returns who is told of what is heard of somebody, besides captions.
        metrics: What is counted.
    """

    def __init__(
        self,
        options: SpeakerOptions,
        *,
        engine: SttEngine,
        subscriptions: Subscriptions,
        clock: RoomClock,
        on_caption: Callable[[SessionId, Caption | Gap], None],
        may_listen: Callable[[], bool],
        listen: Callable[[SessionId], Listener] = lambda _: Nobody(),
        metrics: Metrics,
    ) -> None:
        self._options = options
        self._engine = engine
        self._subscriptions = subscriptions
        self._clock = clock
        self._on_caption = on_caption
        self._may_listen = may_listen
        self._listen = listen
        self._metrics = metrics
        self._here: dict[SessionId, Speaker] = {}
        self._running: set[Speaker] = set()  # those who left and whose last words are due as well
        self._supervisor = Supervisor[SessionId](self._failed)
        self.unheard = 0

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._supervisor.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cancel those who still run."""
        await self._supervisor.__aexit__(*exc)

    def __len__(self) -> int:
        return len(self._here)

    def __contains__(self, session: SessionId) -> bool:
        return session in self._here

    def follow(self, wanted: frozenset[SessionId]) -> None:
        """Listen to these people and to nobody else, as far as there is room."""
        for session in self._here.keys() - wanted:
            self._subscriptions.unsubscribe(session)
            self._here.pop(session).finish()
        for session in wanted - self._here.keys():
            if not self._may_listen():
                break
            self._start(session)
        for session in self._here:
            # Asked again after a new hello; nothing changes where it is wanted already.
            self._subscriptions.subscribe(session)
        self._note_unheard(len(wanted) - len(self._here))

    def set_language(self, language: str) -> None:
        """Understand another language; those who have left finish in the one they spoke."""
        recognition = replace(self._options.recognition, language=language)
        self._options = replace(self._options, recognition=recognition)
        for speaker in self._here.values():
            speaker.set_language(language)

    def deliver(self, event: Offered | CandidateFound | SubscriptionRefused) -> None:
        """Hand over what the media server says to whom it is about; never waits."""
        if isinstance(event, SubscriptionRefused):
            self._metrics.errors.labels("signaling", _label(event.code)).inc()
        if speaker := self._here.get(event.session):
            speaker.deliver(event)

    async def finish(self, within_s: float) -> bool:
        """Take no more audio; return whether all last words were out in time."""
        for speaker in self._here.values():
            speaker.finish()
        try:
            async with asyncio.timeout(within_s):
                await self._supervisor.idle()
        except TimeoutError:
            for speaker in self._running:
                speaker.give_up(Cause.SHUTDOWN)
            return False
        finally:
            self._here.clear()  # not before: who is here is told what is lost
        return True

    @property
    def troubles(self) -> Iterator[str]:
        """Why words are missing now, one short sentence each."""
        yield from sorted({text for each in self._here.values() for text in each.troubles})
        if self.unheard:
            yield f"{self.unheard} speakers too many"

    def statuses(self, roster: Roster) -> Iterator[SpeakerStatus]:
        """Return the figures of now, with the names that *roster* knows."""
        for session, speaker in self._here.items():
            yield speaker.status(roster.name(session))

    def _start(self, session: SessionId) -> None:
        speaker = Speaker(
            session,
            self._options,
            engine=self._engine,
            subscription=self._subscriptions,
            clock=self._clock,
            on_caption=self._on_caption,
            listener=self._listen(session),
            metrics=self._metrics,
        )
        self._here[session] = speaker
        self._running.add(speaker)
        with structlog.contextvars.bound_contextvars(speaker=short(session)):
            task = self._supervisor.start(session, speaker.run)
            task.add_done_callback(lambda _: self._running.discard(speaker))
            log.info("speaker_started")

    def _failed(self, session: SessionId, error: LivebotError) -> None:
        """Drop a speaker whose task ended by a fault; the next update begins it anew."""
        self._metrics.errors.labels("room", type(error).__name__).inc()
        log.error("speaker_ended", speaker=short(session), error=str(error))
        self._here.pop(session, None)
        self._subscriptions.unsubscribe(session)

    def _note_unheard(self, count: int) -> None:
        """Count and tell how many are not listened to, when that changes."""
        if count > self.unheard:
            self._metrics.errors.labels("room", "too_many_speakers").inc(count - self.unheard)
            log.warning("speakers_refused", listened_to=len(self._here), unheard=count)
        self.unheard = count


def _label(code: str) -> str:
    """Return a server's code as a metric's label, which has a handful of values."""
    return code if code in ("no_answer", "client_not_found", "processing_failed") else "other"
