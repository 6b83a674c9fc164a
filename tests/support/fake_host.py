"""An engine host that does what the recordings say, which are texts.

say And so          these words, half a second each, an utterance
speak Zwölf         the same
fail it is damaged  RecordingError
wait                until it is told to go on, or is cancelled
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from livebot.audio.pcm import Samples
from livebot.errors import EngineError, RecordingError
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.host.messages import Progress, Ready
from livebot.stt.host.options import HostOptions
from livebot.stt.host.reading import OnUtterance, Recognition
from livebot.stt.models import Download

LANGUAGES = {"en": "English", "de": "German"}


class FakeStream:
    """Hears one word per chunk, and a pause at the end.

    Attributes:
        heard: Samples that came.
    """

    def __init__(self) -> None:
        self.heard = 0
        self._events: asyncio.Queue[SttEvent | None] = asyncio.Queue()

    async def send(self, chunk: Samples) -> None:
        """Hear a chunk."""
        self.heard += len(chunk)
        self._events.put_nowait(Tentative("perhaps"))
        self._events.put_nowait(Word("word", 0.0, 0.5))

    async def finish(self) -> None:
        """Hear no more."""
        self._events.put_nowait(Pause())
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was heard."""
        while (event := await self._events.get()) is not None:
            yield event


class FakeHost:
    """See above.

    Args:
        options: Whatever.
        on_download: Told of one download.

    Attributes:
        at_once: How many recordings it had in hand at most.
        waiting: Set once somebody waits.
        go_on: What they wait for.
        fault: Raised on entering.
        stream: The one that was opened.
    """

    def __init__(self, options: HostOptions, on_download: Callable[[Download], None]) -> None:
        self.options = options
        self.at_once = 0
        self.asked: list[str] = []
        self.waiting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.fault: EngineError | None = None
        self.stream = FakeStream()
        self._in_hand = 0
        self._on_download = on_download

    @property
    def readiness(self) -> Ready:
        """Say what the model is."""
        return Ready(
            model=self.options.model,
            folder="/models/fake",
            languages=LANGUAGES,
            translates=self.options.model == "base",
            load_s=0.1,
            trial_s=0.1,
        )

    async def __aenter__(self) -> Self:
        """Pretend to download the model."""
        if self.fault:
            raise self.fault
        self._on_download(Download(self.options.model, "model.bin", 50, 100))
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave nothing."""
        assert not self._in_hand

    async def recognise(
        self,
        path: Path,
        *,
        language: str = "",
        model: str = "",
        translate: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_utterance: OnUtterance = lambda _: None,
    ) -> Recognition:
        """Do as the recording says."""
        assert not model
        self.asked.append(f"{language} in English" if translate else language)
        self._in_hand += 1
        self.at_once = max(self.at_once, self._in_hand)
        try:
            text = await asyncio.to_thread(path.read_text, errors="replace")
            on_progress(Progress(0, 1.0, 2.0))
            return await self._obey(text.strip(), language, on_progress, on_utterance)
        finally:
            self._in_hand -= 1

    @asynccontextmanager
    async def open(self, *, language: str = "", model: str = "") -> AsyncIterator[FakeStream]:
        """Open a stream."""
        assert not model
        self.asked.append(language)
        yield self.stream

    async def _obey(
        self,
        text: str,
        language: str,
        on_progress: Callable[[Progress], None],
        on_utterance: OnUtterance,
    ) -> Recognition:
        utterances = []
        now = 0.0
        for line in text.splitlines():
            what, _, rest = line.partition(" ")
            if what == "fail":
                raise RecordingError(rest)
            if what == "wait":
                self.waiting.set()
                await self.go_on.wait()
                continue
            words = []
            for word in rest.split():
                words.append(Word(word, now, now + 0.5))
                now += 0.5
            utterances.append(tuple(words))
            on_utterance(utterances[-1])
            on_progress(Progress(0, now, now))
        on_progress(Progress(0, now, now))
        is_auto = language == "auto"
        return Recognition(
            tuple(utterances),
            now,
            "en" if is_auto else language,
            0.75 if is_auto else None,
            self.options.model,
        )
