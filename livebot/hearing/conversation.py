"""One stream of an engine at a time: audio goes in, captions come out.

A stream is held while there is sound (`stt/lease.py`), as long as the endpoint lets it live
and its language is the one that is spoken. It is ended at a pause where that can be waited
for. Otherwise the word it is cut in, and what follows, is for the next stream.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from livebot.audio.pcm import RATE_HZ
from livebot.audio.timeline import StreamClock
from livebot.captions.caption import MODES, Caption, Mode
from livebot.captions.segmenter import Segmenter
from livebot.errors import EngineError, EngineStalledError
from livebot.hearing.figures import Figures
from livebot.hearing.intake import Intake
from livebot.hearing.listening import Listening
from livebot.stt import continuation
from livebot.stt.continuation import Continuation, Told
from livebot.stt.edge import Edge
from livebot.stt.engine import (
    Capabilities,
    Placed,
    SttEngine,
    SttEvent,
    SttStream,
    Tentative,
    Word,
)
from livebot.stt.lease import PAUSE_S, is_session_over, is_switch_due
from livebot.stt.stall import StallWatch

IDLE_AFTER_S = 1.2
"""Where an engine tells no pauses, so much time without words is one."""

FINISH_S = 30.0
WATCHED_FINISH_S = 120.0
"""A busy engine's last words take a while; one that needs longer has forgotten the stream,
and what is said meanwhile would wait for ever. One that watches itself is merely late, and is
not helped by hearing it all again."""

COUNTED: Mode = "append"
"""Words are captioned in both modes; this one's captions are counted, all of which are final."""

LOOK_EVERY_S = 0.5
"""How often a stream is looked at for a stall."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A stream that is open.

    Attributes:
        stream: It.
        facts: About the engine it is of.
        language: What is spoken, as was said when it was opened.
        since: When it was opened, on the loop's clock.
        edge: Where it was cut, if it was.
        clock: Where in the call its seconds are.
    """

    stream: SttStream
    facts: Capabilities
    language: str
    since: float
    edge: Edge
    clock: StreamClock = field(default_factory=lambda: StreamClock(RATE_HZ))


class Conversation:
    """One speaker's streams, one after the other.

    Args:
        engine: Where they are opened.
        language: What is spoken, at first.
        intake: Where audio comes from, and where it is noted what became of it.
        figures: What is counted.
        on_caption: Called with each caption, in order; must not block.
        on_heard: Called with each word, pause and tentative text, on the time line of the audio,
            each word once; must not block.
        on_sign: Called at each sign of understanding; must not block.
        on_late: Called when no words come from an engine that sees to that itself.

    Attributes:
        watch: Whether words come.
        is_noise: Whether the stream that was found deaf last is deaf to this speaker alone.
    """

    def __init__(
        self,
        engine: SttEngine,
        language: str,
        *,
        intake: Intake,
        figures: Figures,
        on_caption: Callable[[Caption], None],
        on_heard: Callable[[SttEvent], None],
        on_sign: Callable[[], None],
        on_late: Callable[[EngineError], None],
    ) -> None:
        self._engine = engine
        self._language = language
        self._intake = intake
        self._figures = figures
        self._on_caption = on_caption
        self._on_heard = on_heard
        self._on_sign = on_sign
        self._on_late = on_late
        self._loop = asyncio.get_running_loop()
        self._told: deque[Told] = deque(maxlen=continuation.MOST_TOLD)
        self._asked_at = float("-inf")
        self.watch = StallWatch()
        self.is_noise = False
        self._is_told_before = False

    def remember(self, told: Sequence[Told]) -> None:
        """Note what readers have from before a restart: the audio of that may come again."""
        self._told.extend(told)
        self._is_told_before = bool(told)

    def set_language(self, language: str) -> None:
        """Understand another language: from the next pause on, or in a few seconds."""
        if language != self._language:
            self._language = language
            self._asked_at = self._loop.time()

    async def hold(self) -> None:
        """Hold one stream while there is sound; then all it took is answered, or comes again.

        Raises:
            EngineError: (in a group) It was lost, or there was none.
        """
        language, edge = self._language, Edge()
        self._figures.stream = "opening"
        try:
            async with self._engine.open(language=language) as stream:
                placed = stream if isinstance(stream, Placed) else self._engine
                facts = placed.capabilities
                await self._converse(_Open(stream, facts, language, self._loop.time(), edge))
        finally:
            self._figures.stream = "idle"
        if edge.is_cut:
            self._intake.cut()
        else:
            self._intake.finished()

    async def _converse(self, lease: _Open) -> None:
        self._figures.stream = "open"
        if not self.watch.stalls:
            self._figures.engine_error = None
        self.watch.restart()
        async with asyncio.TaskGroup() as group:
            listening = self._listening(lease)
            hearing = group.create_task(listening.run(lease.stream), name="stt-listen")
            watching = group.create_task(self._look_for_stalls(lease), name="stt-watch")
            await self._send(lease)
            finish_s = WATCHED_FINISH_S if lease.facts.watched else FINISH_S
            _, late = await asyncio.wait([hearing], timeout=finish_s)
            if late:
                raise EngineError("the engine does not finish a stream")
            watching.cancel()

    # In.

    async def _send(self, lease: _Open) -> None:
        quiet_s = 0.0
        while self._intake.is_wanted and (piece := await self._intake.next()):
            if self._is_over(lease, quiet_s):
                if quiet_s < PAUSE_S:
                    lease.edge.cut(self._intake.sent_until)
                break
            lease.clock.sent(piece.chunk.start, len(piece.chunk.samples))
            await lease.stream.send(piece.chunk.samples)
            # Only now: a stream that fails takes nothing along.
            self._intake.sent(self._loop.time())
            if piece.is_speech:
                self.watch.sent(piece.chunk.seconds, self._loop.time())
            quiet_s = 0.0 if piece.is_speech else quiet_s + piece.chunk.seconds
        self._figures.stream = "finishing"
        await lease.stream.finish()

    def _is_over(self, lease: _Open, quiet_s: float) -> bool:
        """Say whether a stream is to be changed for another, after so much quiet."""
        now = self._loop.time()
        if is_session_over(lease.facts.session_s, now - lease.since, quiet_s):
            return True
        is_wrong = not lease.facts.suits(lease.language, self._language)
        return is_wrong and is_switch_due(now - self._asked_at, quiet_s)

    async def _look_for_stalls(self, lease: _Open) -> None:
        """Give up a stream that is deaf; one whose engine sees to that itself is merely late."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self.watch.is_stalled(self._loop.time()):
                continue
            error = EngineStalledError("speech goes in and no words come out")
            self.is_noise = isinstance(lease.stream, Placed) and lease.stream.is_understanding
            if not lease.facts.watched:
                raise error
            self._on_late(error)

    # Out.

    def _listening(self, lease: _Open) -> Listening:
        intake = self._intake
        repeats = intake.repeats or self._is_told_before
        again = continuation.recent(self._told, intake.begins) if repeats else []
        self._is_told_before = False
        idle_after = None if lease.facts.pauses else IDLE_AFTER_S
        return Listening(
            [Segmenter(mode, lease.language, idle_after=idle_after) for mode in MODES],
            lease.clock,
            Continuation(again),
            lease.edge,
            on_event=lambda event: self._heard(event, lease.edge),
            on_word=self._tell,
            on_heard=self._on_heard,
            on_caption=self._publish,
        )

    def _heard(self, event: SttEvent, edge: Edge) -> None:
        """Note a sign of understanding."""
        match event:
            case Word(end=end):
                # Without times how much is answered can be guessed only while audio goes in.
                if end is not None or not edge.is_cut:
                    self._intake.answered(end, self._loop.time())
                self._works(None if end is None else self._intake.sent_until - end)
            case Tentative(text=text) if text:
                self._works()
            case _:
                pass

    def _works(self, lag_s: float | None = None) -> None:
        self.watch.heard(lag_s)
        self._on_sign()

    def _tell(self, word: Word) -> None:
        by = self._intake.sent_until if word.end is None else word.end
        self._told.append(Told(word, by))

    def _publish(self, caption: Caption) -> None:
        self._figures.captions += caption.mode == COUNTED
        self._on_caption(caption)
