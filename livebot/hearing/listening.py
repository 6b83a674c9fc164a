"""What one stream of an engine says: words in, captions out, in each mode of reading."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain

from livebot.audio.timeline import StreamClock
from livebot.captions.caption import Caption
from livebot.captions.segmenter import Segmenter
from livebot.stt.continuation import Continuation
from livebot.stt.edge import Edge
from livebot.stt.engine import SttEvent, SttStream, Tentative, Word

HELD_S = 2.0
"""When so long nothing more comes, words that may be known already are shown all the same."""


class Listening:
    """The answers of one stream, until it ends or fails; then all that was said is out.

    Args:
        segmenters: Make captions of words; each one gets all of them.
        clock: Tells where in the call the stream's seconds are.
        continuation: Takes out what readers have already.
        edge: Takes out what the next stream will say.
        on_event: Called with each event as the engine means it, on the room's time line.
        on_word: Called with each word that goes into captions.
        on_heard: Called with each event that goes into captions, words included.
        on_caption: Called with each caption.
    """

    def __init__(
        self,
        segmenters: Sequence[Segmenter],
        clock: StreamClock,
        continuation: Continuation,
        edge: Edge,
        *,
        on_event: Callable[[SttEvent], None],
        on_word: Callable[[Word], None],
        on_heard: Callable[[SttEvent], None],
        on_caption: Callable[[Caption], None],
    ) -> None:
        self._segmenters = segmenters
        self._clock = clock
        self._continuation = continuation
        self._edge = edge
        self._on_event = on_event
        self._on_word = on_word
        self._on_heard = on_heard
        self._on_caption = on_caption
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._heard_at = self._loop.time()

    async def run(self, stream: SttStream) -> None:
        """Listen until the stream ends.

        Raises:
            EngineError: (in a group) It was lost.
        """
        try:
            async with asyncio.TaskGroup() as group:
                ticking = group.create_task(self._tick(), name="segment")
                async for event in stream.events():
                    self._hear(self._timed(event))
                    self._changed.set()
                ticking.cancel()
                self._take(self._edge.finish())
        finally:
            self._say(self._continuation.flush())
            self._publish(each.finish() for each in self._segmenters)

    def _hear(self, event: SttEvent) -> None:
        self._heard_at = self._loop.time()
        if isinstance(event, Word):
            self._take(self._edge.feed(event))
            return
        self._on_event(event)
        if self._continuation.is_over or not isinstance(event, Tentative):
            self._segment(event, self._heard_at)

    def _take(self, words: list[Word]) -> None:
        for word in words:
            self._on_event(word)
            self._say(self._continuation.feed(word))

    def _say(self, words: list[Word]) -> None:
        for word in words:
            self._on_word(word)
            self._segment(word, self._loop.time())

    def _segment(self, event: SttEvent, now: float) -> None:
        self._on_heard(event)
        self._publish(each.feed(event, now) for each in self._segmenters)

    async def _tick(self) -> None:
        """Keep the segmenter's deadlines."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._deadline()):
                    await self._changed.wait()
            except TimeoutError:
                if self._loop.time() >= self._heard_at + HELD_S:
                    self._say(self._continuation.flush())
                self._publish(each.tick(self._loop.time()) for each in self._segmenters)

    def _deadline(self) -> float | None:
        """Return when something may be due next; None where only an event can change that."""
        found = [at for each in self._segmenters if (at := each.next_deadline) is not None]
        if self._continuation.is_holding:
            found.append(self._heard_at + HELD_S)
        return min(found, default=None)

    def _publish(self, made: Iterable[list[Caption]]) -> None:
        for caption in chain.from_iterable(made):
            self._on_caption(caption)

    def _timed(self, event: SttEvent) -> SttEvent:
        """Move a word from the stream's time to the room's."""
        if not isinstance(event, Word):
            return event
        start = None if event.start is None else self._clock.session_time(event.start)
        end = None if event.end is None else self._clock.session_time(event.end, is_end=True)
        return replace(event, start=start, end=end)
