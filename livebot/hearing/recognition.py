"""The text half of a speaker: audio from the backlog, captions out.

A stream of the engine is held while there is sound (`conversation.py`). While it opens, and
while there is none, audio waits in the backlog. What a stream took and did not answer before
it was lost is sent to the next one (`stt/replay.py`), and what is said twice is shown once.

Rule: audio leaves this file in two ways only: it was answered, or it was lost and told so.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from livebot.audio.pipeline import Chunk
from livebot.backoff import Backoff
from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.errors import EngineError, EngineStalledError, EngineUnavailableError
from livebot.hearing.backlog import Backlog
from livebot.hearing.conversation import Conversation
from livebot.hearing.figures import Figures
from livebot.hearing.intake import Intake
from livebot.hearing.supervisor import first_error
from livebot.hearing.unheard import Unheard
from livebot.stt.continuation import Told
from livebot.stt.engine import SttEngine, SttEvent
from livebot.stt.replay import Piece

FIRST_RETRY_S = 0.5
MOST_RETRY_S = 15.0
"""The wait after a lost stream doubles with each further one that gave no word."""

LINGER_S = 120.0
"""Somebody who left in the middle of an engine's outage is still captioned when it is back
within this time."""

BARREN_S = 60.0
BARREN_STREAMS = 3
"""Audio that so many streams in so much time took and did not answer is not offered again:
it may be what ends them, and what was said since is waiting."""


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Into which captions audio is turned, and how.

    Attributes:
        language: What is spoken, at first.
        replay_s: Audio kept after the engine took it, for the next stream.
    """

    language: str
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
        on_heard: Called with each word, pause and tentative text, on the time line of the audio,
            each word once; must not block.
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
        on_heard: Callable[[SttEvent], None] = lambda _: None,
    ) -> None:
        self._backlog = backlog
        self._figures = figures
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(backlog, options.replay_s)
        self._conversation = Conversation(
            engine,
            options.language,
            intake=self._intake,
            figures=figures,
            on_caption=on_caption,
            on_heard=on_heard,
            on_sign=self._works,
            on_late=self._note,
        )
        self._unheard = Unheard(on_gap)
        self._backoff = Backoff(FIRST_RETRY_S, MOST_RETRY_S)
        self._barren_since: float | None = None
        self._barren = 0
        self._closed_at: float | None = None

    async def run(self) -> None:
        """Turn audio into captions until there is no more, and all words are out."""
        while await self._intake.sound():
            try:
                await self._conversation.hold()
            except* EngineError as group:
                error = first_error(group)
            else:
                self._works()
                continue
            self._lost(error)
            if self._is_too_late():
                break
            await self._wait(self._delay(error))
        self.give_up()

    @property
    def sent_until(self) -> float:
        """Return up to where an engine was sent audio that may still be answered."""
        return self._intake.sent_until

    def remember(self, told: Sequence[Told]) -> None:
        """Note what readers have from before a restart; see `Conversation.remember()`."""
        self._conversation.remember(told)

    def set_language(self, language: str) -> None:
        """Understand another language from now on; see `Conversation.set_language()`."""
        self._conversation.set_language(language)

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
        lost, again = self._intake.forgotten(), self._intake.take_back()
        if again and self._is_barren():
            lost, again = lost + again, []
            self._forgive()
        if not (self._conversation.is_noise and isinstance(error, EngineStalledError)):
            self._lose(lost)
        self._intake.send_again(again)

    def _note(self, error: EngineError) -> None:
        """Show what is wrong."""
        self._figures.failed("engine", error)
        self._figures.engine_error = str(error)
        if isinstance(error, EngineStalledError):
            self._conversation.watch.gave_up()
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

    def _works(self) -> None:
        """Note that the engine understands, or heard all to its end."""
        self._backoff.reset()
        self._forgive()
        self._figures.engine_error = None
        self._unheard.over()

    def _lose(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._unheard.lose(piece.chunk)
