"""The text half of a speaker: audio from the backlog, captions out.

A stream of the engine is held while there is sound (`stt/lease.py`). While it opens, and
while there is none, audio waits in the backlog. What a stream took and did not answer before
it was lost is sent to the next one (`stt/replay.py`), and what is said twice is shown once.

Rule: audio leaves this file in two ways only: it was answered, or it was lost and told so.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livebot.audio.pcm import RATE_HZ
from livebot.audio.pipeline import Chunk
from livebot.audio.timeline import StreamClock
from livebot.captions.caption import MODES, Caption, Mode
from livebot.captions.gap import Cause, Gap
from livebot.captions.segmenter import Segmenter
from livebot.errors import EngineError, EngineStalledError, EngineUnavailableError
from livebot.rooms.backlog import Backlog
from livebot.rooms.figures import Figures
from livebot.rooms.intake import Intake
from livebot.rooms.listening import Listening
from livebot.rooms.supervisor import first_error
from livebot.rooms.unheard import Unheard
from livebot.signaling.backoff import Backoff
from livebot.stt import continuation
from livebot.stt.continuation import Continuation, Told
from livebot.stt.engine import SttEngine, SttEvent, SttStream, Tentative, Word
from livebot.stt.lease import is_session_over
from livebot.stt.replay import Piece
from livebot.stt.stall import StallWatch

IDLE_AFTER_S = 1.2
"""Where an engine tells no pauses, so much time without words is one."""

FIRST_RETRY_S = 0.5
MOST_RETRY_S = 15.0
"""The wait after a lost stream doubles with each further one that gave no word."""

FINISH_S = 30.0
WATCHED_FINISH_S = 120.0
"""A busy engine's last words take a while; one that needs longer has forgotten the stream,
and what is said meanwhile would wait for ever. One that watches itself is merely late, and is
not helped by hearing it all again."""

LINGER_S = 120.0
"""Somebody who left in the middle of an engine's outage is still captioned when it is back
within this time."""

BARREN_S = 60.0
BARREN_STREAMS = 3
"""Audio that so many streams in so much time took and did not answer is not offered again:
it may be what ends them, and what was said since is waiting."""

COUNTED: Mode = "append"
"""Words are captioned in both modes; this one's are counted, all of which are final."""

LOOK_EVERY_S = 0.5
"""How often a stream is looked at for a stall."""


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Into which captions audio is turned, and how.

    Attributes:
        language: What is spoken.
        caption_mode: Of no effect; captions are made in both modes.
        replay_s: Audio kept after the engine took it, for the next stream.
    """

    language: str
    caption_mode: Mode = COUNTED
    replay_s: float = 30.0


class Recognition:
    """One speaker's audio on its way to captions.

    Args:
        engine: What turns audio into words.
        options: Into which captions.
        backlog: Where audio waits; `run()` ends when it is closed and empty.
        figures: What is counted.
        on_caption: Called with each caption, in order; must not block.
        on_gap: Called with audio that no engine heard; must not block.
    """

    def __init__(
        self,
        engine: SttEngine,
        options: RecognitionOptions,
        *,
        backlog: Backlog,
        figures: Figures,
        on_caption: Callable[[Caption], None],
        on_gap: Callable[[Gap], None],
    ) -> None:
        self._engine = engine
        self._options = options
        self._backlog = backlog
        self._figures = figures
        self._on_caption = on_caption
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(backlog, options.replay_s)
        self._watch = StallWatch()
        self._told: deque[Told] = deque(maxlen=continuation.MOST_TOLD)
        self._unheard = Unheard(on_gap)
        self._backoff = Backoff(FIRST_RETRY_S, MOST_RETRY_S)
        self._barren_since: float | None = None
        self._barren = 0
        self._closed_at: float | None = None

    async def run(self) -> None:
        """Turn audio into captions until there is no more, and all words are out."""
        while await self._intake.sound():
            try:
                await self._converse()
            except* EngineError as group:
                error = first_error(group)
            else:
                self._intake.finished()
                self._backoff.reset()
                self._forgive()
                self._unheard.over()
                self._figures.engine_error = None
                continue
            finally:
                self._figures.stream = "idle"
            self._lost(error)
            if self._is_too_late():
                break
            await self._wait(self._delay(error))
        self.give_up()

    def give_up(self, cause: Cause = Cause.ENGINE) -> None:
        """Tell what no engine will hear any more: everything that still waits."""
        if cause is not Cause.ENGINE:
            self._unheard.end(cause)
        self._lose(self._intake.drain())
        self._unheard.over()

    def missed(self, chunk: Chunk) -> None:
        """Note that the backlog had no room for a chunk."""
        self._figures.dropped(chunk.seconds)
        self._unheard.lose(chunk)

    # When a stream is lost.

    def _delay(self, error: EngineError) -> float:
        """Return how long to wait before opening another stream."""
        spread = random.random()  # noqa: S311
        if isinstance(error, EngineUnavailableError):
            # It knows when somebody may try again, and that we did not.
            return error.retry_in_s + spread * FIRST_RETRY_S
        return self._backoff.next_delay(spread)

    async def _wait(self, delay_s: float) -> None:
        """Wait before opening another stream."""
        if self._backlog.closed.is_set():
            await asyncio.sleep(delay_s)
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._backlog.closed.wait()
        except TimeoutError:
            pass

    def _is_too_late(self) -> bool:
        """Say whether nobody waits any more for what a dead engine might still say."""
        if not self._backlog.closed.is_set():
            return False
        self._closed_at = self._closed_at or self._loop.time()
        return self._loop.time() - self._closed_at > LINGER_S

    def _lost(self, error: EngineError) -> None:
        """Take back what a stream did not answer."""
        self._note(error)
        self._lose(self._intake.forgotten())
        again = self._intake.take_back()
        if again and self._is_barren():
            self._lose(again)
            again = []
            self._forgive()
        self._intake.send_again(again)

    def _note(self, error: EngineError) -> None:
        """Show what is wrong."""
        self._figures.failed("engine", error)
        self._figures.engine_error = str(error)
        if isinstance(error, EngineStalledError):
            self._watch.gave_up()
            self._figures.metrics.stalls.labels("engine").inc()

    def _is_barren(self) -> bool:
        """Count a stream that took audio and gave no word; say whether there were too many."""
        now = self._loop.time()
        self._barren_since = now if self._barren_since is None else self._barren_since
        self._barren += 1
        return self._barren >= BARREN_STREAMS and now - self._barren_since >= BARREN_S

    def _forgive(self) -> None:
        self._barren_since = None
        self._barren = 0

    def _lose(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._unheard.lose(piece.chunk)

    # One stream.

    async def _converse(self) -> None:
        """Hold one stream of the engine while there is sound."""
        self._figures.stream = "opening"
        async with self._engine.open(language=self._options.language) as stream:
            self._figures.stream = "open"
            if not self._watch.stalls:
                self._figures.engine_error = None
            self._watch.restart()
            clock = StreamClock(RATE_HZ)
            async with asyncio.TaskGroup() as group:
                listening = self._listening(clock)
                hearing = group.create_task(listening.run(stream), name="stt-listen")
                watching = group.create_task(self._look_for_stalls(), name="stt-watch")
                await self._send(stream, clock)
                is_watched = self._engine.capabilities.watched
                finish_s = WATCHED_FINISH_S if is_watched else FINISH_S
                _, late = await asyncio.wait([hearing], timeout=finish_s)
                if late:
                    raise EngineError("the engine does not finish a stream")
                watching.cancel()

    async def _send(self, stream: SttStream, clock: StreamClock) -> None:
        opened, session_s = self._loop.time(), self._engine.capabilities.session_s
        quiet_s = 0.0
        while self._intake.is_wanted and (piece := await self._intake.next()):
            clock.sent(piece.chunk.start, len(piece.chunk.samples))
            await stream.send(piece.chunk.samples)
            # Only now: a stream that fails takes nothing along.
            self._intake.sent(self._loop.time())
            if piece.is_speech:
                self._watch.sent(piece.chunk.seconds, self._loop.time())
            quiet_s = 0.0 if piece.is_speech else quiet_s + piece.chunk.seconds
            if is_session_over(session_s, self._loop.time() - opened, quiet_s):
                break
        self._figures.stream = "finishing"
        await stream.finish()

    async def _look_for_stalls(self) -> None:
        """Give up a stream that is deaf; one whose engine sees to that itself is merely late."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._watch.is_stalled(self._loop.time()):
                continue
            error = EngineStalledError("speech goes in and no words come out")
            if not self._engine.capabilities.watched:
                raise error
            self._note(error)

    def _listening(self, clock: StreamClock) -> Listening:
        intake = self._intake
        again = continuation.recent(self._told, intake.begins) if intake.repeats else []
        idle_after = None if self._engine.capabilities.pauses else IDLE_AFTER_S
        return Listening(
            [Segmenter(mode, self._options.language, idle_after=idle_after) for mode in MODES],
            clock,
            Continuation(again),
            on_event=self._heard,
            on_word=self._tell,
            on_caption=self._publish,
        )

    def _heard(self, event: SttEvent) -> None:
        """Note a sign of understanding."""
        match event:
            case Word():
                lag_s = None if event.end is None else self._intake.sent_until - event.end
                self._intake.answered(event.end, self._loop.time())
                self._works(lag_s)
            case Tentative(text=text) if text:
                self._works()
            case _:
                pass

    def _tell(self, word: Word) -> None:
        by = self._intake.sent_until if word.end is None else word.end
        self._told.append(Told(word, by))

    def _works(self, lag_s: float | None = None) -> None:
        self._watch.heard(lag_s)
        self._backoff.reset()
        self._forgive()
        self._figures.engine_error = None
        self._unheard.over()

    def _publish(self, caption: Caption) -> None:
        self._figures.captions += caption.mode == COUNTED
        self._on_caption(caption)
