"""What an engine is: two small protocols and the values that pass through them.

Nothing is inherited. An engine is found by name (`registry.py`), entered once per
process, and opens one stream per speaker. Audio goes in as chunks, events come out.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias, runtime_checkable

from livebot.audio.pcm import Samples
from livebot.stt.languages import match


@dataclass(frozen=True, slots=True)
class Word:
    """A word that will not change any more.

    Attributes:
        text: The word with its punctuation, without surrounding white space.
        start: Seconds from the first sample of the stream; None where the engine does not say.
        end: As `start`.
        joined: Whether it continues the word before it, so that no space belongs between them.
    """

    text: str
    start: float | None = None
    end: float | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Tentative:
    """What the engine hears after the words so far, and may still change.

    Each one replaces the one before it; a `Word` or `Pause` takes it back.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The speaker paused: what came before is a finished utterance."""


SttEvent: TypeAlias = Word | Tentative | Pause


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about an engine, so that callers ask instead of testing types.

    Attributes:
        languages: Language codes (ISO 639-1) and their English names; `auto` where one need
            not say what is spoken.
        word_times: Whether words carry start and end.
        pauses: Whether the engine tells pauses itself. Without, the segmenter guesses them
            from the time that passes without words.
        cold_start_s: How long opening the first stream may take while audio is kept.
        session_s: How long the endpoint lets a stream live; None where it does not mind.
        watched: Whether the engine itself gives up what hangs: where no words come out of its
            streams, it has too much to do, and hearing it all again would not help.
        hears_language: Whether the model itself hears which of the languages is spoken, and
            takes no notice of what it is told.
    """

    languages: Mapping[str, str]
    word_times: bool
    pauses: bool
    cold_start_s: float = 10.0
    session_s: float | None = None
    watched: bool = False
    hears_language: bool = False

    def suits(self, language: str, wanted: str) -> bool:
        """Say whether a stream that was opened in one language is as good in another."""
        code = match(wanted, self.languages)
        is_same = wanted == language or code == match(language, self.languages)
        return is_same or (code is not None and self.hears_language)


class SttStream(Protocol):
    """One speaker's open conversation with an engine."""

    async def send(self, chunk: Samples) -> None:
        """Hand over one chunk: mono float32 in [-1, 1] at `audio.pcm.RATE_HZ`, any length.

        Waits while the engine cannot take more.

        Raises:
            EngineError: The stream is lost.
        """

    async def finish(self) -> None:
        """Say that no more audio comes; the last words follow and `events()` ends by itself.

        Raises:
            EngineError: The stream is lost.
        """

    def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was understood, in order; to be iterated once.

        Raises:
            EngineError: The stream was lost before it was finished.
        """


@runtime_checkable
class Placed(Protocol):
    """What a stream may be besides: one that knows which of several engines it is of."""

    @property
    def capabilities(self) -> Capabilities:
        """Say what that engine can do."""

    @property
    def is_understanding(self) -> bool:
        """Whether that engine gave a word within the last seconds, on any of its streams."""


class SttEngine(Protocol):
    """Opens streams. Built once per process, entered before use, shared by all rooms."""

    @property
    def capabilities(self) -> Capabilities:
        """Say what this engine can do."""

    async def __aenter__(self) -> Self:
        """Start what the engine needs (worker processes, say).

        Raises:
            EngineError: It cannot be started; nothing of it is left, and it may be tried again.
        """

    async def __aexit__(self, *exc: object) -> None:
        """Stop it; nothing of it is left running."""

    def open(self, *, language: str) -> AbstractAsyncContextManager[SttStream]:
        """Open a stream; leaving the context closes it, whatever happened.

        Whoever finds the stream deaf leaves the context with `EngineStalledError`: how it is
        left tells a combination of engines whether the stream worked.

        Raises:
            EngineError: On entering, when no stream can be had.
        """

    async def check(self) -> str:
        """Try the engine, for `livebot doctor`: return one line on what works.

        Raises:
            EngineError: It does not work; the text says what to do.
        """


@runtime_checkable
class SelfAware(Protocol):
    """What an engine may be besides: one that knows of troubles of its own."""

    def troubles(self) -> list[str]:
        """Return what an operator should know; nothing where all is well."""


EngineFactory: TypeAlias = Callable[[Mapping[str, str]], SttEngine]
"""What an entry point of the group `livebot.engines` names: options in, engine out.

Raises `ConfigError` when the options do not suffice.
"""
