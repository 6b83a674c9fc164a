"""One session's audio on its way to events, whichever client brings it.

Audio → decoder → cutter → backlog → recognition → telling → feed. All of it lives from the
session's opening to its last word; clients come and go (`session.py`).
"""

import asyncio
import math
from collections.abc import Callable

from livebot import logs
from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.captions.gap import Cause
from livebot.errors import BusyError, RequestError
from livebot.feeds.assembly import Assembly
from livebot.feeds.events import Final, Gap, Notice, Speaker
from livebot.feeds.feed import Feed
from livebot.hearing.backlog import Backlog, Mark
from livebot.hearing.conversation import IDLE_AFTER_S
from livebot.hearing.figures import Figures
from livebot.hearing.recognition import Recognition, RecognitionOptions
from livebot.live.clients import Client, End
from livebot.live.cutter import Cutter
from livebot.live.decoders import decoder_for
from livebot.live.pace import Pace
from livebot.live.plan import Plan
from livebot.live.presence import Due, Presence
from livebot.live.telling import Telling
from livebot.metrics import Metrics
from livebot.stt.engine import SttEngine, SttEvent
from livebot.stt.languages import AUTO

log = logs.get("live")

DRAIN_S = 150.0
"""How long the last words may take: an engine that is away may be back within two minutes, and
needs some time then."""

FINALIZE_S = 10.0
"""How long `finalize()` waits; what comes later comes all the same."""

LOOK_EVERY_S = 0.5

LATE_S = 6.0
"""An utterance of which nothing came for so long is complete, though its engine tells pauses: its
stream may have been lost."""

SAME_S = 0.05
"""A client that is so much off means the same place."""

MISSING_S = 1.0
"""Who comes back sooner has lost nothing that could be told."""

MOST_MOVES = 20
"""So often a client may say where its audio begins without giving any: each is a gap."""

ERASED = Notice("erased", "what was said before was erased")
"""The first event that is left, so that numbers go on behind those that are gone."""

MOST_AHEAD_S = 4 * 3600.0
"""No client leaves out more at once."""


class Transcription:
    """One session; `run()` it.

    Args:
        plan: How.
        engine: Where audio goes.
        feed: Where words go; closed at the end.
        metrics: What is counted.
        clock: Says what the session's time line would be at by the wall clock.
        on_told: Called with each final and gap; must not block.

    Attributes:
        plan: How it is.
        feed: What is said.
        presence: Whether there is a client.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        engine: SttEngine,
        feed: Feed,
        metrics: Metrics,
        clock: Callable[[], float],
        on_told: Callable[[Final | Gap], None] = lambda _: None,
    ) -> None:
        self.plan = plan
        self.feed = feed
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self.presence = Presence(plan.idle_s, plan.resume_s, born_at=now, left_at=now)
        self._figures = Figures(metrics)
        self._metrics = metrics
        self._decoder = decoder_for(plan.options)
        self._cutter = Cutter(plan.chunk_ms, plan.left.position if plan.left else 0.0)
        self._backlog = Backlog(
            plan.backlog_s,
            lambda chunk: self._recognition.missed(chunk),  # noqa: PLW0108 - it is made below
        )
        self._pace = Pace(self._backlog, plan.backlog_s)
        speaker = Speaker(name=plan.options.speaker)
        pauses = engine.capabilities.pauses
        language = "" if plan.language == AUTO else plan.language
        self._telling = Telling(
            feed,
            lambda name: Assembly(
                speaker, language, name=name, idle_after=LATE_S if pauses else IDLE_AFTER_S
            ),
            interim=plan.options.interim,
            speaker=speaker,
            metrics=metrics,
            on_told=on_told,
        )
        self._recognition = Recognition(
            engine,
            RecognitionOptions(plan.language, plan.replay_s),
            backlog=self._backlog,
            figures=self._figures,
            on_caption=lambda _: None,
            on_gap=self._telling.lost,
            on_heard=self._heard,
        )
        if plan.left:
            self._recognition.remember(plan.left.told)
            self._telling.take_back(plan.left.interims, plan.left.gaps, self.position)
        self._unplaced = plan.left is not None
        self._silent_since = 0.0
        self._sending = self._moves = 0
        self._changed = asyncio.Event()
        self._finishing = asyncio.Event()
        self._finished = asyncio.Event()
        self._drain_until, self._cause = math.inf, Cause.ENGINE
        self._end = End.FINISHED
        self._client = Client()

    # Clients.

    def attach(self) -> Client:
        """Take a client; return what tells it when to go. Who was attached before goes."""
        if self.presence.is_attached:
            self._client.go(End.REPLACED)
            self._leave()
        now = self._loop.time()
        self._silent_since = self.presence.silent_since(now)
        self.presence.came(now)
        self._client = Client()
        if self._finished.is_set():
            self._client.go(self._end)
        self._changed.set()
        return self._client

    def detach(self, client: Client) -> None:
        """Note that a client is gone; ignored where it is not the one that is attached."""
        if client is self._client and self.presence.is_attached:
            self._leave()

    def keepalive(self, client: Client) -> None:
        """Note that a client is there; ignored where it is not the one that is attached."""
        if self.is_of(client):
            self.presence.sign(self._loop.time())

    def is_of(self, client: Client) -> bool:
        """Say whether a client is the one that is attached."""
        return client is self._client and not client.is_gone

    @property
    def is_over(self) -> bool:
        """Whether no more audio is taken."""
        return self._finishing.is_set()

    def _leave(self) -> None:
        self.presence.left(self._loop.time())
        self._changed.set()
        if self.is_over:
            return
        self._put(self._decoder.flush())
        self._decoder = decoder_for(self.plan.options)
        self._unplaced = self._unplaced or self._has_audio

    def forget(self) -> int:
        """Take back all that was said so far; return the number of the notice that says so."""
        self._telling.complete(self._loop.time())
        self.feed.forget(lambda _: True)
        return self.feed.publish(ERASED)

    # In.

    @property
    def position(self) -> float:
        """Return up to where audio was taken."""
        return self._cutter.position

    @property
    def _has_audio(self) -> bool:
        return self._figures.audio_s > 0

    def begin_at(self, seconds: float) -> None:
        """Say where the next audio begins; see `LiveSession.begin_at()`."""
        self._moves += 1
        if self._moves > MOST_MOVES:
            raise RequestError("audio must follow where it was said to begin")
        self._put(self._decoder.flush())
        if not self.position - SAME_S <= seconds <= self.position + MOST_AHEAD_S:
            raise RequestError(
                f"the next audio begins at {self.position:.2f} s or up to"
                f" {MOST_AHEAD_S / 3600:.0f} hours later, not at {seconds:.2f} s"
            )
        self._unplaced = False
        self._move(seconds, "client")

    async def send(self, data: bytes) -> None:
        """Take audio; see `LiveSession.send()`."""
        self._place()
        self._moves = 0
        self._sending += 1
        try:
            is_first = True
            for samples in self._decoder.feed(data):
                if not is_first:
                    await asyncio.sleep(0)  # a message may hold hours: others have their turn
                is_first = False
                if self.is_over:
                    raise BusyError("the session is over: open another one")
                self._put(samples)
                await self._pace.taken(len(samples) / RATE_HZ)
        finally:
            self._sending -= 1
            self.presence.audio(self._loop.time())

    def _put(self, samples: Samples) -> None:
        if not len(samples):
            return
        self._figures.received(len(samples) / RATE_HZ)
        for chunk in self._cutter.push(samples):
            self._backlog.put(chunk)
        self._telling.arrivals.note(self.position, self._loop.time())

    def _place(self) -> None:
        """Go on by the clock where a client came back and does not say where its audio begins."""
        if not self._unplaced:
            return
        self._unplaced = False
        if self.plan.left and not self._has_audio:
            missing_s, cause = self._clock() - self.position, "restart"
        else:
            missing_s, cause = self._loop.time() - self._silent_since, "connection"
        if missing_s >= MISSING_S:
            self._move(self.position + missing_s, cause)

    def _move(self, seconds: float, cause: str) -> None:
        before = self.position
        if seconds - before <= SAME_S:
            return
        self._complete(lambda: None)
        self._cutter.move(seconds)
        self._telling.missing(cause, before, seconds)

    # Out.

    async def finalize(self) -> None:
        """Complete what was said so far; see `LiveSession.finalize()`."""
        passed = asyncio.Event()
        self._put(self._decoder.flush())
        self._complete(passed.set)
        try:
            async with asyncio.timeout(FINALIZE_S):
                await passed.wait()
                await self._telling.released()
        except TimeoutError:
            log.info("live_finalize_is_late", seconds=FINALIZE_S)

    def finish(self, end: End = End.FINISHED, *, within_s: float = DRAIN_S) -> None:
        """Take no more audio; `finished()` waits for the last words."""
        self._drain_until = min(self._drain_until, self._loop.time() + within_s)
        if end is End.RESTART:
            self._cause = Cause.SHUTDOWN
        if not self._finishing.is_set():
            self._end = end
            self._finishing.set()

    def fell_behind(self) -> None:
        """Count a reader that was too slow for single events."""
        self._metrics.live_snapshots.inc()

    async def finished(self) -> None:
        """Wait until the last words are in the feed, which is closed."""
        await self._finished.wait()

    @property
    def end(self) -> End:
        """Return why it ends."""
        return self._end

    async def run(self) -> None:
        """Turn audio into events until `finish()`, and then the last of it."""
        try:
            async with asyncio.TaskGroup() as group:
                recognising = group.create_task(self._recognition.run(), name="recognition")
                watching = group.create_task(self._watch(), name="live-watch")
                await self._finishing.wait()
                await self._drain(recognising)
                watching.cancel()
        finally:
            self._telling.complete(self._loop.time())
            self.feed.close()
            self._finished.set()
            self._client.go(self._end)

    async def _drain(self, recognising: asyncio.Task[None]) -> None:
        self._put(self._decoder.flush())
        self._flush()
        self._backlog.close()
        while not recognising.done() and (left_s := self._drain_until - self._loop.time()) > 0:
            # Who stops the service may have less time than was left.
            await asyncio.wait([recognising], timeout=min(LOOK_EVERY_S, left_s))
        if not recognising.done():
            self._recognition.give_up(self._cause)
            recognising.cancel()
            await asyncio.wait([recognising])

    def _complete(self, on_passed: Callable[[], None]) -> None:
        """Let all that was said so far be answered, and told as complete."""

        def passed() -> None:
            self._telling.complete(self._loop.time())
            on_passed()

        self._flush()
        self.presence.completed()
        if self._backlog.closed.is_set():
            on_passed()
        else:
            self._backlog.put(Mark(silence(0), self.position, passed))

    def _flush(self) -> None:
        for chunk in self._cutter.flush():
            self._backlog.put(chunk)

    def _heard(self, event: SttEvent) -> None:
        until = self._recognition.sent_until or self.position
        self._telling.heard(event, self._loop.time(), until)
        self._changed.set()

    # The clock.

    async def _watch(self) -> None:
        while True:
            now = self._loop.time()
            self._telling.tick(now)
            if self._sending:
                self.presence.audio(now)  # it is made to wait
            while (due := self.presence.due(now)) and not self.is_over:
                self._do(due)
            self._changed.clear()
            deadlines = [self._telling.next_deadline]
            if not self.is_over:
                deadlines.append(self.presence.next_deadline)
            try:
                async with asyncio.timeout_at(
                    min((at for at in deadlines if at is not None), default=None)
                ):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _do(self, due: Due) -> None:
        match due:
            case Due.COMPLETE:
                self._complete(lambda: None)
            case Due.LEFT:
                self._client.go(End.IDLE)
                self._leave()
            case Due.GIVEN_UP:
                self.finish()
            case Due.OLD:
                self.finish(End.TIME)
