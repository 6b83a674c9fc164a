"""One room: its signaling conversation, its roster, its speakers, its readers.

Events of the conversation come in on the loop, one after the other, and change the
roster; what follows from the roster (who is listened to, whether we stay) is derived
from it each time, never kept beside it.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from livebot.errors import LivebotError
from livebot.ids import RoomToken, SessionId, short
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.delivery import Delivery
from livebot.rooms.roster import Roster
from livebot.rooms.speaker import Speaker, SpeakerOptions
from livebot.rooms.status import RoomState, RoomStatus
from livebot.rooms.supervisor import Supervisor
from livebot.signaling.client import SignalingClient
from livebot.signaling.events import (
    CallChanged,
    CallEnded,
    CandidateFound,
    Entered,
    Offered,
    ParticipantsLeft,
    Resumed,
    RoomClosed,
    SignalingEvent,
    SubscriptionRefused,
)
from livebot.stt.engine import SttEngine

log = structlog.get_logger("room")

LAST_WORDS_S = 5.0
"""How long leaving waits for the speakers' last words."""

SENDING_S = 1.0
"""How long leaving waits for the last captions to be sent."""

BYE_S = 3.0
"""How long leaving waits for the server to say bye."""


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """What a room needs to know.

    Attributes:
        token: The room.
        hpb_url: The signaling server's WebSocket.
        secret: Its `internalsecret`.
        backend: The base URL of the room's Nextcloud.
        empty_s: How long we stay where there is nobody but bots.
        max_speakers: More are not listened to.
        speakers: What all speakers share.
    """

    token: RoomToken
    hpb_url: str
    secret: str = field(repr=False)
    backend: str
    empty_s: float
    max_speakers: int
    speakers: SpeakerOptions


class Room:
    """A room from joining to leaving.

    Args:
        options: What it needs to know.
        engine: Where audio goes.
        metrics: What is counted.
        on_change: Called when the number of speakers or the state has changed.
    """

    def __init__(
        self,
        options: RoomOptions,
        *,
        engine: SttEngine,
        metrics: Metrics,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._options = options
        self._engine = engine
        self._metrics = metrics
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._clock = RoomClock()
        self._since = time.time()
        self._state = RoomState.CONNECTING
        self._last_error: str | None = None
        self._roster = Roster()
        self._speakers: dict[SessionId, Speaker] = {}
        self._unheard = 0
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._supervisor = Supervisor[SessionId](self._speaker_failed)
        self._client = SignalingClient(
            url=options.hpb_url,
            room=options.token,
            secret=options.secret,
            backend=options.backend,
            on_event=self._on_event,
            on_lost=self._on_lost,
        )
        self._delivery = Delivery(
            self._client,
            readers=lambda: self._roster.readers,
            language=options.speakers.recognition.language,
            clock=self._clock,
            metrics=metrics,
        )

    async def run(self) -> None:
        """Serve the room until it is over or `stop()` is called.

        Raises:
            SignalingRefusedError: (in a group) The server does not want us.
        """
        with structlog.contextvars.bound_contextvars(room=short(self._options.token)):
            async with asyncio.TaskGroup() as group:
                client = group.create_task(self._client.run(), name="signaling")
                writer = group.create_task(self._delivery.run(), name="captions-out")
                watch = group.create_task(self._watch_empty(), name="watch-empty")
                async with self._supervisor:
                    await self._stopping.wait()
                    watch.cancel()
                    await self._wind_down()
                await self._send_the_rest(writer)
                await self._say_bye(client)
            log.info("room_left", captions=self._delivery.sent)

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
    def speaker_count(self) -> int:
        """The number of people listened to."""
        return len(self._speakers)

    @property
    def troubles(self) -> list[str]:
        """What keeps captions from being complete now, one short sentence each."""
        found = []
        if self._state is RoomState.RECONNECTING:
            found.append(self._last_error or "reconnecting")
        found += sorted({text for s in self._speakers.values() for text in s.troubles})
        if self._unheard:
            found.append(f"{self._unheard} speakers too many")
        return found

    def status(self) -> RoomStatus:
        """Return the figures of now."""
        return RoomStatus(
            token=self._options.token,
            language=self._options.speakers.recognition.language,
            state=self._state,
            since=self._since,
            speakers=tuple(
                speaker.status(self._roster.name(session))
                for session, speaker in self._speakers.items()
            ),
            last_error=self._last_error,
        )

    # What the signaling conversation says.

    def _on_event(self, event: SignalingEvent) -> None:
        self._roster.apply(event)
        match event:
            case Entered(session=own):
                self._roster.reset(own)
                self._delivery.told.clear()
                self._joined("room_joined")
            case Resumed():
                self._delivery.told.set()
                self._joined("room_resumed")
            case Offered(session=session) | CandidateFound(session=session):
                if speaker := self._speakers.get(session):
                    speaker.deliver(event)
            case CallChanged():
                self._delivery.told.set()
                self._follow_roster()
            case ParticipantsLeft():
                self._follow_roster()
            case CallEnded():
                self.stop("the call ended")
            case RoomClosed(reason=reason):
                self.stop(reason)
            case SubscriptionRefused(code=code):
                self._metrics.errors.labels("signaling", _label(code)).inc()
            case _:
                pass
        self._changed.set()

    def _joined(self, event: str) -> None:
        log.info(event)
        self._last_error = None
        self._set_state(RoomState.JOINED)

    def _on_lost(self, reason: str) -> None:
        self._last_error = reason
        self._delivery.told.clear()
        self._metrics.errors.labels("signaling", "connection").inc()
        self._metrics.reconnects.labels("signaling", "connection").inc()
        if not self._stopping.is_set():
            self._set_state(RoomState.RECONNECTING)

    def _set_state(self, state: RoomState) -> None:
        self._state = state
        self._changed.set()
        self._on_change()

    # What follows from the roster.

    def _follow_roster(self) -> None:
        if self._stopping.is_set():
            return
        wanted = self._roster.speakers
        for session in self._speakers.keys() - wanted:
            self._client.unsubscribe(session)
            self._speakers.pop(session).finish()
        free = self._options.max_speakers - len(self._speakers)
        for session in itertools.islice(wanted - self._speakers.keys(), free):
            self._start_speaker(session)
        for session in self._speakers:
            # Asked again after a new hello; nothing changes where it is wanted already.
            self._client.subscribe(session)
        self._note_unheard(len(wanted) - len(self._speakers))
        self._on_change()

    def _note_unheard(self, count: int) -> None:
        """Count and tell how many are not listened to, when that changes."""
        if count > self._unheard:
            self._metrics.errors.labels("room", "too_many_speakers").inc(count - self._unheard)
            log.warning("speakers_refused", limit=self._options.max_speakers, unheard=count)
        self._unheard = count

    def _start_speaker(self, session: SessionId) -> None:
        speaker = Speaker(
            session,
            self._options.speakers,
            engine=self._engine,
            subscription=self._client,
            clock=self._clock,
            on_caption=self._delivery.put,
            metrics=self._metrics,
        )
        self._speakers[session] = speaker
        with structlog.contextvars.bound_contextvars(speaker=short(session)):
            self._supervisor.start(session, speaker.run)
            log.info("speaker_started")

    def _speaker_failed(self, session: SessionId, error: LivebotError) -> None:
        """Drop a speaker whose task ended by a fault; the next update begins it anew."""
        self._metrics.errors.labels("room", type(error).__name__).inc()
        log.error("speaker_ended", speaker=short(session), error=str(error))
        self._speakers.pop(session, None)
        self._client.unsubscribe(session)

    async def _watch_empty(self) -> None:
        """Leave when nobody but bots has been here for a while."""
        deadline: float | None = None
        while True:
            alone = self._state is RoomState.JOINED and not self._roster.readers
            if not alone:
                deadline = None
            elif deadline is None:
                deadline = self._loop.time() + self._options.empty_s
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                self.stop("nobody is here")
                return

    # Leaving.

    async def _wind_down(self) -> None:
        """Let the last words come out and be sent."""
        for speaker in self._speakers.values():
            speaker.finish()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self._supervisor.idle()
        except TimeoutError:
            log.warning("last_words_lost")
            self._metrics.errors.labels("room", "last_words").inc()
        self._speakers.clear()

    async def _send_the_rest(self, writer: asyncio.Task[None]) -> None:
        self._delivery.close()
        _, late = await asyncio.wait([writer], timeout=SENDING_S)
        for task in late:
            log.warning("captions_lost", count=self._delivery.waiting)
            task.cancel()

    async def _say_bye(self, client: asyncio.Task[None]) -> None:
        await self._client.leave()
        _, late = await asyncio.wait([client], timeout=BYE_S)
        for task in late:
            task.cancel()


def _label(code: str) -> str:
    """Return a server's code as a metric's label, which has a handful of values."""
    return code if code in ("no_answer", "client_not_found", "processing_failed") else "other"
