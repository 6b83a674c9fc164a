"""One speaker: reception → backlog → recognition → captions.

The two halves meet in the backlog only; either may fail and begin anew without the other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.hearing.backlog import Backlog
from livebot.hearing.figures import Figures
from livebot.hearing.recognition import Recognition, RecognitionOptions
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.reception import Reception, ReceptionOptions, Subscription
from livebot.rooms.status import SpeakerStatus
from livebot.rooms.voice import Listener
from livebot.signaling.events import CandidateFound, Offered, SubscriptionRefused
from livebot.stt.engine import SttEngine


@dataclass(frozen=True, slots=True)
class SpeakerOptions:
    """What all speakers of a room share; the backlog keeps at most `backlog_s` of audio."""

    reception: ReceptionOptions
    recognition: RecognitionOptions
    backlog_s: float


class Speaker:
    """One speaker of a room.

    Args:
        session: Who.
        options: What all speakers of the room share.
        engine: Where the audio goes.
        subscription: Where answers to offers go.
        clock: The room's time line.
        on_caption: Called with each caption and each gap, in order; must not block.
        listener: Told of what is heard, besides captions.
        metrics: What is counted.
    """

    def __init__(
        self,
        session: SessionId,
        options: SpeakerOptions,
        *,
        engine: SttEngine,
        subscription: Subscription,
        clock: RoomClock,
        on_caption: Callable[[SessionId, Caption | Gap], None],
        listener: Listener,
        metrics: Metrics,
    ) -> None:
        self.session = session
        self._figures = Figures(metrics)
        self._leaving = asyncio.Event()
        self._listener = listener
        self._backlog = backlog = Backlog(
            options.backlog_s,
            lambda chunk: self._recognition.missed(chunk),  # noqa: PLW0108 - it is made below
            listener.chunk,
        )
        self._reception = Reception(
            session,
            options.reception,
            subscription=subscription,
            backlog=backlog,
            clock=clock,
            figures=self._figures,
            on_gap=lambda gap: on_caption(session, gap),
        )
        self._recognition = Recognition(
            engine,
            options.recognition,
            backlog=backlog,
            figures=self._figures,
            on_caption=lambda caption: on_caption(session, caption),
            on_gap=lambda gap: on_caption(session, gap),
            on_heard=listener.heard,
        )

    async def run(self) -> None:
        """Serve this speaker until `finish()`; then the last words come out."""
        try:
            async with asyncio.TaskGroup() as group:
                reception = group.create_task(self._reception.run(), name="reception")
                group.create_task(self._recognise(), name="recognition")
                await self._leaving.wait()
                # Before the peer is closed, which takes a minute where a TURN server has gone; and
                # here, because a task cancelled before its first step never gets to its clean-up.
                self._reception.flush()
                self._backlog.close()
                reception.cancel()
        finally:
            self._listener.finish()

    async def _recognise(self) -> None:
        await self._recognition.run()
        # A peer may take a minute to be closed, and readers are not to wait for that.
        self._listener.finish()

    def finish(self) -> None:
        """Take no more audio; `run()` ends when the last words are out."""
        self._leaving.set()

    def give_up(self, cause: Cause) -> None:
        """Tell what is lost when `run()` is cancelled before the last words were out."""
        self._recognition.give_up(cause)

    def set_language(self, language: str) -> None:
        """Understand another language from the next pause on, or in a few seconds."""
        self._recognition.set_language(language)

    def deliver(self, event: Offered | CandidateFound | SubscriptionRefused) -> None:
        """Hand over what the media server says; never waits."""
        self._reception.deliver(event)

    @property
    def troubles(self) -> list[str]:
        """Why there is no audio and there are no words of this speaker now."""
        return [text for text in (self._figures.media_error, self._figures.engine_error) if text]

    def status(self, name: str) -> SpeakerStatus:
        """Return the figures of now, under a display name."""
        figures = self._figures
        return SpeakerStatus(
            session=self.session,
            name=name,
            media=figures.media,
            stream=figures.stream,
            audio_seconds=round(figures.audio_s, 1),
            dropped_seconds=round(figures.dropped_s, 1),
            captions=figures.captions,
            last_error=figures.last_error,
        )
