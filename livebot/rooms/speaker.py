"""One speaker: peer → pipeline → backlog → engine stream → segmenter → captions.

Two halves that meet in the backlog only. The media half follows the offers of the media
server and always drains the peer. The text half holds an engine stream while there is
sound. Either may fail and begin anew without the other.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from livebot.audio.pcm import level_dbfs
from livebot.audio.pipeline import Chunk, Pipeline
from livebot.audio.timeline import StreamClock
from livebot.captions.caption import Caption
from livebot.captions.segmenter import Mode, Segmenter
from livebot.errors import EngineError, LivebotError, MediaError
from livebot.ids import SessionId
from livebot.media.ice import IcePolicy
from livebot.media.peer import RATE_HZ, Peer, open_peer
from livebot.metrics import Metrics
from livebot.rooms.backlog import Backlog
from livebot.rooms.status import SpeakerStatus
from livebot.rooms.supervisor import first_error
from livebot.settings import IceServer
from livebot.signaling.backoff import Backoff
from livebot.signaling.events import CandidateFound, Offered
from livebot.stt.engine import SttEngine, SttEvent, SttStream, Word
from livebot.stt.lease import PRE_ROLL_S, SpeechGate

log = structlog.get_logger("speaker")

FILL_EVERY_S = 0.2
"""Where nothing arrives for so long, silence takes its place, and the peer is looked at."""

CONNECT_TIMEOUT_S = 20.0
"""A peer that is not connected by then never will be."""

INBOX_LIMIT = 64
"""Offers and candidates that wait to be handled; a flood drops the newest."""

EARLY_CANDIDATES = 32
"""Candidates kept of a subscription whose offer is not here yet."""


class Subscription(Protocol):
    """What a speaker asks of the signaling conversation."""

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Answer an offer."""

    def subscription_lost(self, speaker: SessionId) -> None:
        """Ask for the audio again."""

    def subscription_steady(self, speaker: SessionId) -> None:
        """Note that audio arrives."""


@dataclass(frozen=True, slots=True)
class SpeakerOptions:
    """What all speakers of a room share."""

    language: str
    caption_mode: Mode
    chunk_ms: int
    backlog_s: float
    ice_servers: tuple[IceServer, ...]
    ice_policy: IcePolicy


@dataclass(slots=True)
class _Figures:
    """What the status shows."""

    media: str = "waiting"
    stream: str = "idle"
    audio_s: float = 0.0
    dropped_s: float = 0.0
    captions: int = 0
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class _PeerEnded:
    """The task that drains the peer is done: no more audio will come from it."""


@dataclass(slots=True)
class _EarlyCandidates:
    """Candidates that came before their offer, by subscription."""

    _kept: deque[CandidateFound] = field(default_factory=lambda: deque(maxlen=EARLY_CANDIDATES))

    def keep(self, candidate: CandidateFound) -> None:
        self._kept.append(candidate)

    def take(self, sid: str) -> list[CandidateFound]:
        found = [candidate for candidate in self._kept if candidate.sid == sid]
        self._kept.clear()
        return found


class Speaker:
    """One speaker of a room.

    Args:
        session: Who.
        name: The display name, for the status only.
        options: What all speakers of the room share.
        engine: Where the audio goes.
        subscription: Where answers go.
        now: Seconds on the room's time line.
        on_caption: Called with each caption, in order; must not block.
        metrics: What is counted.
    """

    def __init__(
        self,
        *,
        session: SessionId,
        name: str,
        options: SpeakerOptions,
        engine: SttEngine,
        subscription: Subscription,
        now: Callable[[], float],
        on_caption: Callable[[SessionId, Caption], None],
        metrics: Metrics,
    ) -> None:
        self.session = session
        self._name = name
        self._options = options
        self._engine = engine
        self._subscription = subscription
        self._now = now
        self._on_caption = on_caption
        self._metrics = metrics
        self._figures = _Figures()
        self._inbox: asyncio.Queue[Offered | CandidateFound | _PeerEnded] = asyncio.Queue()
        self._early = _EarlyCandidates()
        self._backlog = Backlog(options.backlog_s, self._count_dropped)
        self._unsent: deque[Chunk] = deque()
        self._gate = SpeechGate()
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Serve this speaker until `finish()`; then the last words come out."""
        async with asyncio.TaskGroup() as group:
            media = group.create_task(self._serve_media(), name="media")
            group.create_task(self._serve_text(), name="text")
            await self._leaving.wait()
            media.cancel()
            await asyncio.wait([media])
            self._backlog.close()

    def finish(self) -> None:
        """Take no more audio; `run()` ends when the last words are out."""
        self._leaving.set()

    def deliver(self, event: Offered | CandidateFound) -> None:
        """Hand over what the media server says; never waits."""
        if self._inbox.qsize() >= INBOX_LIMIT:
            self._fail("media", MediaError("too many offers and candidates at once"))
            return
        self._inbox.put_nowait(event)

    def status(self) -> SpeakerStatus:
        """Return the figures of now."""
        figures = self._figures
        return SpeakerStatus(
            session=self.session,
            name=self._name,
            media=figures.media,
            stream=figures.stream,
            audio_seconds=round(figures.audio_s, 1),
            dropped_seconds=round(figures.dropped_s, 1),
            captions=figures.captions,
            last_error=figures.last_error,
        )

    # Media.

    async def _serve_media(self) -> None:
        offer: Offered | None = None
        while True:
            offer = offer or await self._next_offer()
            try:
                offer = await self._serve_peer(offer)
            except* MediaError as group:
                self._fail("media", first_error(group))
                offer = None
            if offer is None:
                self._figures.media = "waiting"
                self._subscription.subscription_lost(self.session)

    async def _next_offer(self) -> Offered:
        while True:
            match await self._inbox.get():
                case Offered() as offer:
                    return offer
                case CandidateFound() as candidate:
                    self._early.keep(candidate)
                case _PeerEnded():
                    pass

    async def _serve_peer(self, offer: Offered) -> Offered | None:
        """Receive from one peer; return the offer that replaces it, None when it ended."""
        self._figures.media = "connecting"
        async with (
            open_peer(self._options.ice_servers, self._options.ice_policy) as peer,
            asyncio.TaskGroup() as group,
        ):
            await self._negotiate(peer, offer)
            pull = group.create_task(self._pull(peer, offer), name="pull")
            successor = await self._follow(peer, offer)
            pull.cancel()
        return successor

    async def _negotiate(self, peer: Peer, offer: Offered) -> None:
        sdp = await peer.answer(offer.sdp)
        self._subscription.answer(self.session, sid=offer.sid, sdp=sdp)
        for candidate in self._early.take(offer.sid):
            await peer.add_candidate(candidate.candidate, candidate.mid, candidate.index)

    async def _follow(self, peer: Peer, first: Offered) -> Offered | None:
        """Handle what the media server says about this peer."""
        while True:
            match await self._inbox.get():
                case Offered() as offer if offer.sid == first.sid and not peer.has_ended:
                    await self._negotiate(peer, offer)
                case Offered() as offer:
                    return offer
                case CandidateFound() as found if found.sid == first.sid:
                    await peer.add_candidate(found.candidate, found.mid, found.index)
                case CandidateFound() as early:
                    self._early.keep(early)
                case _PeerEnded():
                    return None

    async def _pull(self, peer: Peer, offer: Offered) -> None:
        """Drain the peer into the backlog, for as long as it delivers."""
        pipeline = Pipeline(chunk_ms=self._options.chunk_ms, source_hz=RATE_HZ)
        give_up = self._now() + CONNECT_TIMEOUT_S
        heard = False
        try:
            while True:
                try:
                    async with asyncio.timeout(FILL_EVERY_S):
                        frame = await peer.receive()
                except TimeoutError:
                    if peer.has_ended or (peer.state != "connected" and self._now() > give_up):
                        return
                    self._keep(pipeline.fill(self._now()))
                    continue
                if frame is None:
                    return
                if not heard:
                    heard = True
                    self._note_first_audio(offer)
                self._count_received(frame.samples.size / RATE_HZ)
                self._keep(pipeline.push(frame.samples, frame.pts, self._now()))
        finally:
            self._keep(pipeline.flush())
            self._metrics.audio_silent.inc(pipeline.silent_s)
            self._inbox.put_nowait(_PeerEnded())

    def _keep(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._backlog.put(chunk)

    def _note_first_audio(self, offer: Offered) -> None:
        self._figures.media = "receiving"
        self._subscription.subscription_steady(self.session)
        if offer.asked_at is not None:
            elapsed = asyncio.get_running_loop().time() - offer.asked_at
            self._metrics.first_audio.observe(elapsed)
            log.info("audio_arrived", after_s=round(elapsed, 3))

    # Text.

    async def _serve_text(self) -> None:
        backoff = Backoff(first_s=1.0)
        while await self._sound():
            try:
                await self._converse()
                backoff.reset()
            except* EngineError as group:
                error = first_error(group)
                self._fail("engine", error)
                await self._wait(backoff.next_delay(0.0))
            finally:
                self._figures.stream = "idle"

    async def _sound(self) -> bool:
        """Wait until there is sound; False when no more audio comes.

        What the stream shall hear first, the pre-roll and the sound, is then in `_unsent`.
        """
        while not (self._unsent and self._gate.is_open):
            chunk = await self._backlog.get()
            if chunk is None:
                return False
            self._unsent.append(chunk)
            if not self._hear(chunk):
                while self._unsent and self._unsent[0].end < chunk.end - PRE_ROLL_S:
                    self._unsent.popleft()
        return True

    def _hear(self, chunk: Chunk) -> bool:
        return self._gate.feed(level_dbfs(chunk.samples), chunk.end - chunk.start)

    async def _wait(self, delay_s: float) -> None:
        """Wait before opening a stream again; when we are to leave, not at all."""
        try:
            async with asyncio.timeout(delay_s):
                await self._leaving.wait()
        except TimeoutError:
            pass

    async def _converse(self) -> None:
        """Hold one stream of the engine while there is sound."""
        self._figures.stream = "opening"
        clock = StreamClock()
        async with (
            self._engine.open(language=self._options.language) as stream,
            asyncio.TaskGroup() as group,
        ):
            self._figures.stream = "open"
            group.create_task(self._send(stream, clock), name="stt-send")
            group.create_task(self._listen(stream, clock), name="stt-listen")

    async def _send(self, stream: SttStream, clock: StreamClock) -> None:
        while self._gate.is_open:
            if not self._unsent:
                chunk = await self._backlog.get()
                if chunk is None:
                    break
                self._hear(chunk)
                self._unsent.append(chunk)
            # Taken out only once it was sent: a stream that fails loses no more than one.
            clock.sent(self._unsent[0])
            await stream.send(self._unsent[0].samples)
            self._unsent.popleft()
        self._figures.stream = "finishing"
        await stream.finish()

    async def _listen(self, stream: SttStream, clock: StreamClock) -> None:
        segmenter = Segmenter(
            self._options.caption_mode,
            self._options.language,
            guess_pauses=not self._engine.capabilities.pauses,
        )
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                ticking = group.create_task(self._tick(segmenter, changed), name="segment")
                async for event in stream.events():
                    self._publish(segmenter.feed(_timed(event, clock), loop.time()))
                    changed.set()
                ticking.cancel()
        finally:
            self._publish(segmenter.finish())

    async def _tick(self, segmenter: Segmenter, changed: asyncio.Event) -> None:
        """Keep the segmenter's deadlines."""
        loop = asyncio.get_running_loop()
        while True:
            changed.clear()
            try:
                async with asyncio.timeout_at(segmenter.next_deadline):
                    await changed.wait()
            except TimeoutError:
                self._publish(segmenter.tick(loop.time()))

    def _publish(self, captions: list[Caption]) -> None:
        for caption in captions:
            self._figures.captions += 1
            self._on_caption(self.session, caption)

    # Figures.

    def _count_received(self, seconds: float) -> None:
        self._figures.audio_s += seconds
        self._metrics.audio_received.inc(seconds)

    def _count_dropped(self, seconds: float) -> None:
        self._figures.dropped_s += seconds
        self._metrics.audio_dropped.inc(seconds)

    def _fail(self, component: str, error: LivebotError) -> None:
        self._figures.last_error = str(error)
        self._metrics.errors.labels(component, type(error).__name__).inc()
        log.warning("speaker_failed", component=component, error=str(error))


def _timed(event: SttEvent, clock: StreamClock) -> SttEvent:
    """Move a word from the stream's time to the room's."""
    if not isinstance(event, Word):
        return event
    start = None if event.start is None else clock.session_time(event.start)
    end = None if event.end is None else clock.session_time(event.end)
    return replace(event, start=start, end=end)
