"""One room: its signaling conversation, its roster, its speakers, its readers.

Events of the conversation come in on the loop, one after the other, and change the
roster; what follows from the roster (who is listened to, whether we stay) is derived
from it each time, never kept beside it.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from livebot.feeds.directory import Feeds
from livebot.ids import RoomToken, TalkSessionId, short
from livebot.metrics import Metrics
from livebot.rooms.archive import Archive
from livebot.rooms.blueprint import RoomOptions
from livebot.rooms.clock import RoomClock
from livebot.rooms.emptiness import Emptiness
from livebot.rooms.keeping import Erasure, Kept
from livebot.rooms.publication import Publication
from livebot.rooms.readers import Readers
from livebot.rooms.roster import Roster
from livebot.rooms.scribe import Scribe
from livebot.rooms.speakers import Speakers
from livebot.rooms.status import RoomState, RoomStatus
from livebot.signaling.client import SignalingClient
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CandidateFound,
    Entered,
    Offered,
    ParticipantsJoined,
    ParticipantsLeft,
    Resumed,
    RoomClosed,
    SignalingEvent,
    SubscriptionRefused,
    Switched,
)
from livebot.stt.engine import SttEngine

log = structlog.get_logger("room")

LAST_WORDS_S = 5.0
"""How long leaving waits for the speakers' last words."""

BYE_S = 3.0
"""How long leaving waits for the server to say bye."""

LOOK_EVERY_S = 5.0
"""How often what goes on is counted, and those are tried again there was no room for."""


class Room:
    """A room from joining to leaving.

    Args:
        options: What it needs to know.
        engine: Where audio goes.
        metrics: What is counted.
        feeds: Where those who read along find the room.
        archive: Where transcripts go; None for nowhere.
        may_listen: Asked before each speaker: may one more be listened to?
        on_change: Called when the number of speakers or the state has changed.
    """

    def __init__(
        self,
        options: RoomOptions,
        *,
        engine: SttEngine,
        metrics: Metrics,
        feeds: Feeds | None = None,
        archive: Archive | None = None,
        may_listen: Callable[[], bool] = lambda: True,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._options = options
        self._metrics = metrics
        self._on_change = on_change
        self._clock = RoomClock()
        self._since = time.time()
        self._state = RoomState.CONNECTING
        self._last_error: str | None = None
        self._roster = Roster()
        self._stopping = asyncio.Event()
        self._client = SignalingClient(
            find_url=options.talk.hpb_url,
            room=options.token,
            secret=options.secret,
            backend=options.backend,
            on_event=self._on_event,
            on_lost=self._on_lost,
        )
        self._scribe = Scribe(
            options.token,
            options.scribe,
            clock=self._clock,
            feeds=Feeds() if feeds is None else feeds,
            archive=archive,
            tells_pauses=engine.capabilities.pauses,
        )
        self._publication = Publication(
            options.publication,
            channel=self._client,
            roster=self._roster,
            clock=self._clock,
            is_here=lambda session: session in self._speakers,
            on_gap=self._scribe.missed,
            metrics=metrics,
        )
        self._emptiness = Emptiness(
            lambda: self._state is RoomState.JOINED and not self._publication.present,
            lambda: bool(self._publication.present),
            options.empty_s,
        )
        self._speakers = Speakers(
            options.speakers,
            engine=engine,
            subscriptions=self._client,
            clock=self._clock,
            on_caption=self._publication.publish,
            may_listen=may_listen,
            listen=self._scribe.voice,
            metrics=metrics,
        )

    async def run(self) -> None:
        """Serve the room until it is over or `stop()` is called.

        Raises:
            SignalingRefusedError: (in a group) The server does not want us.
        """
        with (
            structlog.contextvars.bound_contextvars(room=short(self._options.token)),
            self._scribe,
        ):
            async with asyncio.TaskGroup() as group:
                client = group.create_task(self._client.run(), name="signaling")
                publishing = group.create_task(self._publication.run(), name="captions-out")
                watches = [
                    group.create_task(self._watch_empty(), name="watch-empty"),
                    group.create_task(self._watch_losses(), name="watch-losses"),
                ]
                async with self._speakers:
                    await self._stopping.wait()
                    for watch in watches:
                        watch.cancel()
                    await self._wind_down()
                self._publication.finish()
                await asyncio.wait([publishing])
                await self._say_bye(client)
            log.info("room_left", captions=self._publication.sent)

    def stop(self, reason: str) -> None:
        """Leave, after the last words; `run()` then ends."""
        if not self._stopping.is_set():
            log.info("room_leaving", room=short(self._options.token), reason=reason)
            self._set_state(RoomState.LEAVING)
            self._stopping.set()

    @property
    def token(self) -> RoomToken:
        """Which room it is."""
        return self._options.token

    @property
    def language(self) -> str:
        """What is spoken there."""
        return self._publication.language

    @property
    def readers(self) -> Readers:
        """Who has asked for captions; `readers_changed()` is to follow any change."""
        return self._options.publication.readers

    @property
    def here(self) -> frozenset[TalkSessionId]:
        """Who is in the call, as far as Talk's sessions are known."""
        return frozenset(self._roster.people.values())

    @property
    def speaker_count(self) -> int:
        """The number of people listened to."""
        return len(self._speakers)

    @property
    def troubles(self) -> list[str]:
        """What keeps captions from being complete now, one short sentence each."""
        is_lost = self._state is RoomState.RECONNECTING
        found = [self._last_error or "reconnecting"] if is_lost else []
        return [*found, *self._speakers.troubles, *self._publication.losses.troubles]

    def status(self) -> RoomStatus:
        """Return the figures of now."""
        return RoomStatus(
            token=self._options.token,
            language=self._publication.language,
            state=self._state,
            since=self._since,
            speakers=tuple(self._speakers.statuses(self._roster)),
            readers=len(self._publication.present),
            gaps=tuple(gap for _, gap in self._publication.losses.recent),
            last_error=self._last_error,
        )

    def set_language(self, language: str) -> None:
        """Caption what is said from now on as this language."""
        log.info("language_set", room=short(self._options.token), language=language)
        self._publication.language = language
        self._speakers.set_language(language)
        self._scribe.set_language(language)

    def keep(self, kept: Kept) -> None:
        """Keep this of what is said from now on."""
        log.info("keeping", room=short(self.token), words=kept.words, audio=kept.audio)
        self._scribe.keep(kept)

    def forget(self, erasure: Erasure) -> None:
        """Take back what was said by somebody, or all of it."""
        self._scribe.forget(erasure)

    def readers_changed(self) -> None:
        """Look again at who has asked for captions."""
        if self._publication.is_told:
            self._publication.told()
        self._emptiness.look()

    # What the signaling conversation says.

    def _on_event(self, event: SignalingEvent) -> None:
        self._roster.apply(event)
        self._scribe.apply(event)
        match event:
            case Entered(session=own, is_return=is_return):
                self._emptiness.expect_return(is_return=is_return)
                self._publication.untold(is_return=is_return)
                self._roster.reset(own)
                self._joined("room_joined", is_stranger=True)
            case Resumed():
                self._publication.told()
                self._joined("room_resumed", is_stranger=False)
            case Switched(room=room):
                log.info("room_switched", to=short(room))
                self._publication.moved()
                self._speakers.follow(frozenset())
                self._scribe.moved(room)
            case Offered() | CandidateFound() | SubscriptionRefused():
                self._speakers.deliver(event)
            case CallChanged():
                self._publication.told()
                self._follow_roster()
            case ParticipantsJoined():
                self.readers_changed()
            case ParticipantsLeft():
                self.readers_changed()
                self._follow_roster()
            case CallEnded():
                self.stop("the call ended")
            case RoomClosed(reason=reason):
                self.stop(reason)
        self._emptiness.look()

    def _joined(self, event: str, *, is_stranger: bool) -> None:
        log.info(event)
        self._last_error = None
        self._publication.losses.back(self._clock.now(), is_stranger=is_stranger)
        if not self._stopping.is_set():
            self._set_state(RoomState.JOINED)

    def _on_lost(self, reason: str) -> None:
        self._last_error = reason
        self._publication.untold()
        self._publication.losses.away(self._clock.now())
        self._metrics.errors.labels("signaling", "connection").inc()
        self._metrics.reconnects.labels("signaling", "connection").inc()
        if not self._stopping.is_set():
            self._set_state(RoomState.RECONNECTING)

    def _set_state(self, state: RoomState) -> None:
        self._state = state
        self._emptiness.look()
        self._on_change()

    # What follows from the roster.

    def _follow_roster(self) -> None:
        # Before a new session is told who is here, who is missing is merely unknown.
        if self._publication.is_told and not self._stopping.is_set():
            self._speakers.follow(self._roster.speakers)
            self._on_change()

    async def _watch_losses(self) -> None:
        """Count what is being lost, and listen to those there was no room for, once there is."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._publication.losses.tick(self._clock.now())
            if self._speakers.unheard and self._state is RoomState.JOINED:
                self._follow_roster()

    async def _watch_empty(self) -> None:
        """Leave when nobody has read for a while."""
        await self._emptiness.wait()
        self.stop("nobody reads here")

    # Leaving.

    async def _wind_down(self) -> None:
        """Let the last words come out and be sent."""
        if not await self._speakers.finish(LAST_WORDS_S):
            log.warning("last_words_lost")
            self._metrics.errors.labels("room", "last_words").inc()

    async def _say_bye(self, client: asyncio.Task[None]) -> None:
        await self._client.leave()
        _, late = await asyncio.wait([client], timeout=BYE_S)
        for task in late:
            task.cancel()
