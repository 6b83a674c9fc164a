"""The text half of a speaker: audio from the backlog, captions out.

A stream of the engine is held while there is sound (`stt/lease.py`). While it opens, and
while there is none, audio waits in the backlog; what a failed stream did not take yet is
sent to the next one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from livebot.audio.pcm import RATE_HZ, level_dbfs
from livebot.audio.pipeline import Chunk
from livebot.audio.timeline import StreamClock
from livebot.captions.caption import Caption
from livebot.captions.gap import Gap
from livebot.captions.segmenter import Mode, Segmenter
from livebot.errors import EngineError
from livebot.rooms.backlog import Backlog
from livebot.rooms.figures import Figures
from livebot.rooms.supervisor import first_error
from livebot.signaling.backoff import Backoff
from livebot.stt.engine import SttEngine, SttEvent, SttStream, Word
from livebot.stt.lease import PRE_ROLL_S, SpeechGate

IDLE_AFTER_S = 1.2
"""Where an engine tells no pauses, so much time without words is one."""

FIRST_RETRY_S = 1.0
"""The wait after a failed stream; it doubles with each further one, up to half a minute."""

FINISH_S = 30.0
"""A busy engine's last words take a while; one that needs longer has forgotten the stream,
and what is said meanwhile would wait for ever."""


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Into which captions audio is turned; `engine` is the engine's name, for the metrics."""

    engine: str
    language: str
    caption_mode: Mode


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
        self._on_gap = on_gap
        self._unsent: deque[Chunk] = deque()
        self._gate = SpeechGate()

    async def run(self) -> None:
        """Turn audio into captions until there is no more, and all words are out."""
        backoff = Backoff(FIRST_RETRY_S)
        while await self._sound():
            try:
                await self._converse()
            except* EngineError as group:
                error = first_error(group)
                self._figures.failed("engine", error)
                self._figures.engine_error = str(error)
            else:
                backoff.reset()
                continue
            finally:
                self._figures.stream = "idle"
            if self._backlog.closed.is_set():
                # Nobody waits for what a dead engine might still say.
                self._figures.dropped(sum(chunk.seconds for chunk in self._unsent))
                return
            await self._wait(backoff.next_delay(0.0))

    async def _sound(self) -> bool:
        """Wait until there is sound; False when no more audio comes.

        What the stream shall hear first, the pre-roll and the sound, is then in `_unsent`.
        """
        while not (self._unsent and self._gate.is_open):
            chunk = await self._take()
            if chunk is None:
                return False
            while not self._gate.is_open and self._unsent[0].end < chunk.end - PRE_ROLL_S:
                self._unsent.popleft()
        return True

    async def _take(self) -> Chunk | None:
        """Take the next chunk into `_unsent`; None when no more audio comes."""
        chunk = await self._backlog.get()
        if chunk is not None:
            self._unsent.append(chunk)
            self._gate.feed(level_dbfs(chunk.samples), chunk.seconds)
        return chunk

    async def _wait(self, delay_s: float) -> None:
        """Wait before opening another stream; not any longer than more audio may come."""
        try:
            async with asyncio.timeout(delay_s):
                await self._backlog.closed.wait()
        except TimeoutError:
            pass

    async def _converse(self) -> None:
        """Hold one stream of the engine while there is sound."""
        self._figures.stream = "opening"
        clock = StreamClock(RATE_HZ)
        active = self._figures.metrics.engine_streams.labels(self._options.engine)
        async with self._engine.open(language=self._options.language) as stream:
            self._figures.stream = "open"
            self._figures.engine_error = None
            with active.track_inprogress():
                async with asyncio.TaskGroup() as group:
                    listening = group.create_task(self._listen(stream, clock), name="stt-listen")
                    await self._send(stream, clock)
                    _, late = await asyncio.wait([listening], timeout=FINISH_S)
                    if late:
                        raise EngineError("the engine does not finish a stream")

    async def _send(self, stream: SttStream, clock: StreamClock) -> None:
        while self._gate.is_open or self._unsent:
            if not self._unsent and await self._take() is None:
                break
            # Forgotten only once it was sent: a stream that fails takes no more than one along.
            chunk = self._unsent[0]
            clock.sent(chunk.start, len(chunk.samples))
            await stream.send(chunk.samples)
            self._unsent.popleft()
        self._figures.stream = "finishing"
        await stream.finish()

    async def _listen(self, stream: SttStream, clock: StreamClock) -> None:
        segmenter = Segmenter(
            self._options.caption_mode,
            self._options.language,
            idle_after=None if self._engine.capabilities.pauses else IDLE_AFTER_S,
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
            self._on_caption(caption)


def _timed(event: SttEvent, clock: StreamClock) -> SttEvent:
    """Move a word from the stream's time to the room's."""
    if not isinstance(event, Word):
        return event
    start = None if event.start is None else clock.session_time(event.start)
    end = None if event.end is None else clock.session_time(event.end, is_end=True)
    return replace(event, start=start, end=end)
