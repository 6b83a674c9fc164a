"""The embedded engine: a model that comes with its package, in worker processes."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from livebot.errors import ConfigError, EngineError
from livebot.stt.engine import Capabilities, SttStream
from livebot.stt.host.pool import WorkerPool
from livebot.stt.languages import match

_LANGUAGES = {"en": "English"}

_MAX_WORKERS = 4
"""By default: each carries several speakers, and takes memory for a model of its own."""


class LocalEngine:
    """Recognises English on this machine's processors.

    Args:
        options: `workers`, the number of processes (default: one per core, four at most), and
            `model_dir`, a folder with a model of the same shape.

    Raises:
        ConfigError: `workers` is no number from 1 on.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._model_dir = options.get("model_dir", "")
        self._workers = _workers(options.get("workers", ""))
        self._pool: WorkerPool | None = None
        self._stack = AsyncExitStack()

    @property
    def capabilities(self) -> Capabilities:
        """Say what this engine can do."""
        return Capabilities(languages=_LANGUAGES, word_times=True, pauses=True, watched=True)

    async def __aenter__(self) -> Self:
        """Start the workers.

        Raises:
            EngineError: They cannot be started; the text says what to do.
        """
        pool = WorkerPool(workers=self._workers, model_dir=self._model_dir)
        self._pool = await self._stack.enter_async_context(pool)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop the workers."""
        self._pool = None
        await self._stack.aclose()

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream.

        Raises:
            EngineError: There is no worker, or the language is not English.
        """
        if match(language, _LANGUAGES) is None:
            raise EngineError("the embedded engine understands English only", retryable=False)
        if self._pool is None:
            raise EngineError("the engine is not running", retryable=False)
        async with self._pool.open() as stream:
            yield stream

    def troubles(self) -> list[str]:
        """Return which workers are away, and why."""
        return self._pool.troubles() if self._pool else []

    async def check(self) -> str:
        """Start one worker, which tries its model, and say how that went.

        Raises:
            EngineError: It does not work; the text says what to do.
        """
        async with WorkerPool(workers=1, model_dir=self._model_dir) as pool:
            ready = pool.readiness
        if ready is None:
            raise EngineError("the worker did not get ready")
        return (
            f"model {ready.model} loaded in {ready.load_s:.2f} s, "
            f"recognises 1 s of sound in {ready.trial_s:.3f} s"
        )


def _workers(text: str) -> int:
    if not text:
        return min(_MAX_WORKERS, os.cpu_count() or 1)
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError("the option workers of the engine local must be a number from 1 on")
    return int(text)
