"""The media half of a speaker: offers in, audio into the backlog.

One peer at a time, and at most one more that is being closed. It is drained from the moment
it is negotiated, because what waits in it is bounded and the oldest goes; it is replaced by
the next offer, and asked for again when it ends or brings nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from livebot.audio.pipeline import Chunk, Pipeline
from livebot.captions.gap import Gap
from livebot.errors import MediaError
from livebot.hearing.backlog import Backlog
from livebot.hearing.figures import Figures
from livebot.hearing.supervisor import first_error
from livebot.ids import SessionId
from livebot.media.ice import IcePolicy
from livebot.media.peer import RATE_HZ, Peer, open_peer
from livebot.rooms.clock import RoomClock
from livebot.rooms.inbox import Inbox, PeerEnded
from livebot.rooms.media_watch import Finding, MediaWatch
from livebot.rooms.talk import found_in_time
from livebot.settings import IceServer
from livebot.signaling.events import CandidateFound, Offered, SubscriptionRefused

log = structlog.get_logger("media")

FILL_EVERY_S = 0.2
"""How often silence is put where nothing arrives."""

LOOK_EVERY_S = 0.5
"""How often a peer is looked at."""

CONNECT_TIMEOUT_S = 20.0
"""A peer that is not connected by then never will be."""

EARLY_CANDIDATES = 32
"""Candidates kept of a subscription whose offer is not here yet; the oldest go first."""


class Subscription(Protocol):
    """What reception asks of the signaling conversation."""

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Answer an offer."""

    def subscription_lost(self, speaker: SessionId) -> None:
        """Ask for the audio again, soon; ignored while a request is under way."""

    def subscription_steady(self, speaker: SessionId) -> None:
        """Note that audio arrives for good: the next loss is a new one."""


@dataclass(frozen=True, slots=True)
class ReceptionOptions:
    """How audio is received and cut; `ice_servers` is asked before each peer."""

    chunk_ms: int
    ice_servers: Callable[[], Awaitable[tuple[IceServer, ...]]]
    ice_policy: IcePolicy


class Reception:
    """One speaker's audio on its way in.

    Args:
        session: The speaker.
        options: How.
        subscription: Where answers go.
        backlog: Where audio goes.
        clock: The room's time line.
        figures: What is counted.
        on_gap: Called with audio that is lost; must not block.
    """

    def __init__(
        self,
        session: SessionId,
        options: ReceptionOptions,
        *,
        subscription: Subscription,
        backlog: Backlog,
        clock: RoomClock,
        figures: Figures,
        on_gap: Callable[[Gap], None],
    ) -> None:
        self._session = session
        self._options = options
        self._subscription = subscription
        self._backlog = backlog
        self._clock = clock
        self._figures = figures
        self._watch = MediaWatch(figures, on_gap)
        self._pipeline = Pipeline(options.chunk_ms, RATE_HZ)
        self._early: deque[CandidateFound] = deque(maxlen=EARLY_CANDIDATES)
        self._inbox = Inbox()

    def deliver(self, event: Offered | CandidateFound | SubscriptionRefused) -> None:
        """Hand over what the media server says; never waits."""
        if isinstance(event, SubscriptionRefused):
            self._watch.refused(event.code)
            return
        if self._inbox.put(event, self._clock.now()):
            return
        self._figures.failed("media", MediaError("too many offers and candidates at once"))
        if isinstance(event, Offered) and event.asked_at is not None:
            self._subscription.subscription_lost(self._session)

    async def run(self) -> None:
        """Receive until cancelled; what is inside then is for `flush()`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fill(), name="fill")
            group.create_task(self._look(), name="look")
            await self._serve(group)

    def flush(self) -> None:
        """Put what is less than a chunk into the backlog: no more audio comes."""
        self._keep(self._pipeline.flush())
        self._watch.flush(self._clock.now())

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        """Have one peer after the other."""
        offer: Offered | None = None
        closing: set[asyncio.Task[None]] = set()
        while True:
            offer = offer or await self._next_offer()
            while len(closing) > 1:
                # Where a TURN server has gone, closing takes a while: one at a time.
                _, closing = await asyncio.wait(closing, return_when=asyncio.FIRST_COMPLETED)
            served = asyncio.get_running_loop().create_future()
            closing.add(group.create_task(self._host(offer, served), name="peer"))
            offer = await served

    async def _next_offer(self) -> Offered:
        while True:
            match await self._inbox.get():
                case Offered() as offer:
                    return offer
                case CandidateFound() as candidate:
                    self._early.append(candidate)
                case PeerEnded():
                    pass

    async def _host(self, offer: Offered, served: asyncio.Future[Offered | None]) -> None:
        """Have one peer: until it has ended or its successor's offer is here; then close it."""
        try:
            servers = await found_in_time(
                self._options.ice_servers,
                lambda why: self._figures.failed("media", MediaError(why)),
            )
            async with open_peer(servers, self._options.ice_policy) as peer:
                served.set_result(await self._attend(peer, offer))
        except MediaError as exc:
            if served.done():
                self._figures.failed("media", exc)
            else:
                self._fail(exc)
                served.set_result(None)

    async def _attend(self, peer: Peer, offer: Offered) -> Offered | None:
        """Receive from a peer; return the offer that replaces it, None when it ended."""
        self._watch.opened(peer, self._clock.now())
        successor: Offered | None = None
        try:
            successor = await self._receive(peer, offer)
        except* MediaError as group:
            self._watch.ended()
            self._fail(first_error(group))
        self._watch.ended()
        return successor

    async def _receive(self, peer: Peer, offer: Offered) -> Offered | None:
        await self._negotiate(peer, offer)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._pull(peer, offer), name="pull"),
                group.create_task(self._watch_connect(peer), name="watch-connect"),
                group.create_task(self._watch_end(peer), name="watch-end"),
            ]
            successor = await self._follow(peer, offer)
            for task in tasks:
                task.cancel()
        return successor

    async def _negotiate(self, peer: Peer, offer: Offered) -> None:
        sdp = await peer.answer(offer.sdp)
        self._subscription.answer(self._session, sid=offer.sid, sdp=sdp)
        early, self._early = self._early, deque(maxlen=EARLY_CANDIDATES)
        for candidate in early:
            if candidate.sid == offer.sid:
                await self._add(peer, candidate)

    async def _add(self, peer: Peer, found: CandidateFound) -> None:
        """Take in a candidate; one that cannot be read is no reason to do without the others."""
        try:
            await peer.add_candidate(found.candidate, found.mid, found.index)
        except MediaError as exc:
            self._figures.failed("media", exc)

    async def _follow(self, peer: Peer, first: Offered) -> Offered | None:
        """Handle what the media server says, until this peer ends or is replaced."""
        while True:
            match await self._inbox.get():
                case Offered() as offer if self._renegotiates(offer, first, peer):
                    await self._negotiate(peer, offer)
                case Offered() as offer:
                    return offer
                case CandidateFound() as found:
                    if found.sid == first.sid:
                        await self._add(peer, found)
                    if found.sid != first.sid or not found.sid:
                        # Old servers give no sid, and candidates may come before their offer:
                        # it may belong to the next one.
                        self._early.append(found)
                case PeerEnded(peer=ended, reason=reason) if ended is peer:
                    self._ask(reason)
                    return None
                case PeerEnded():
                    pass

    @staticmethod
    def _renegotiates(offer: Offered, first: Offered, peer: Peer) -> bool:
        """Say whether an offer is for the peer we have.

        Old servers give no sid; there, what was asked for is a new subscription.
        """
        return offer.sid == first.sid and offer.asked_at is None and not peer.has_ended

    async def _pull(self, peer: Peer, offer: Offered) -> None:
        """Drain the peer into the backlog, for as long as it delivers."""
        self._pipeline.restart()
        heard = False
        while (frame := await peer.receive()) is not None:
            if not heard:
                heard = True
                self._note_first_audio(offer)
            now = self._clock.now()
            self._watch.heard(frame, now)
            self._figures.received(frame.samples.size / RATE_HZ)
            self._keep(self._pipeline.push(frame.samples, frame.pts, now))
        self._inbox.put_end(PeerEnded(peer, "closed"))

    async def _watch_connect(self, peer: Peer) -> None:
        """Notice a peer that does not connect."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await peer.connected.wait()
        except TimeoutError:
            error = MediaError("no way to the media server: check TURN")
            self._figures.failed("media", error)
            self._watch.failed(str(error))
            self._inbox.put_end(PeerEnded(peer, "no_way"))

    async def _watch_end(self, peer: Peer) -> None:
        """Notice a peer that is connected no more, or failed to."""
        await peer.ended.wait()
        self._inbox.put_end(PeerEnded(peer, "closed" if peer.connected.is_set() else "failed"))

    async def _look(self) -> None:
        """Notice what does not come."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            match self._watch.look(self._clock.now()):
                case Finding.STEADY:
                    self._subscription.subscription_steady(self._session)
                case Finding() as finding:
                    self._ask(finding)
                case None:
                    pass

    def _fail(self, error: MediaError) -> None:
        """Show why there is no audio, and ask for it again."""
        self._figures.failed("media", error)
        self._watch.failed(str(error))
        self._ask("failed")

    def _ask(self, reason: str) -> None:
        """Ask for the audio again."""
        log.info("audio_asked_again", reason=reason)
        self._figures.metrics.reconnects.labels("media", reason).inc()
        self._subscription.subscription_lost(self._session)

    async def _fill(self) -> None:
        """Put silence where nothing arrives: it is what brings out the last words."""
        while True:
            await asyncio.sleep(FILL_EVERY_S)
            self._keep(self._pipeline.fill(self._clock.now()))

    def _keep(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._backlog.put(chunk)
        self._figures.silent(self._pipeline.silent_seconds)

    def _note_first_audio(self, offer: Offered) -> None:
        if offer.asked_at is not None:
            elapsed = asyncio.get_running_loop().time() - offer.asked_at
            self._figures.metrics.first_audio.observe(elapsed)
            log.info("audio_arrived", after_s=round(elapsed, 3))
