"""An engine of one model in worker processes: what `local` and `whisper` have in common."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

from livebot.errors import EngineError
from livebot.stt.engine import Capabilities, SttStream
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.stt.languages import match


class HostedEngine:
    """Recognises speech on this machine.

    Args:
        options: The model, and what it may use.
        languages: Codes of what the model understands and their English names, `auto` too where
            it finds out by itself.
    """

    def __init__(self, options: HostOptions, languages: Mapping[str, str]) -> None:
        self._options = options
        self._languages = languages
        self._host: EngineHost | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Say what this engine can do."""
        return Capabilities(languages=self._languages, word_times=True, pauses=True, watched=True)

    @property
    def host(self) -> EngineHost | None:
        """Return who has the workers, which others may use, too; None while they are not there."""
        return self._host

    async def __aenter__(self) -> Self:
        """Start the workers; where the model is missing, download it first.

        Raises:
            EngineError: They cannot be started; the text says what to do.
        """
        self._host = await EngineHost(self._options).__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop the workers."""
        host, self._host = self._host, None
        if host is not None:
            await host.__aexit__()

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream.

        Raises:
            EngineError: There is no worker, or the model does not understand the language.
        """
        if match(language, self._languages) is None:
            known = ", ".join(self._languages.values())
            raise EngineError(f"{self._options.model} understands {known} only", retryable=False)
        if self._host is None:
            raise EngineError("the engine is not running", retryable=False)
        async with self._host.open(language=language) as stream:
            yield stream

    def troubles(self) -> list[str]:
        """Return which workers are away, and why."""
        return list(self._host.status().troubles) if self._host else []

    async def check(self) -> str:
        """Start one worker, which tries its model, and say how that went.

        Raises:
            EngineError: It does not work; the text says what to do.
        """
        async with EngineHost(self._options.with_workers(1)) as host:
            ready = host.readiness
        return (
            f"model {ready.model} loaded in {ready.load_s:.2f} s, "
            f"recognises 1 s of sound in {ready.trial_s:.3f} s"
        )
