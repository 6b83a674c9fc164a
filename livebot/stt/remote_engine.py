"""What engines behind a WebSocket share; their conversations are their own."""

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from livebot.audio.pcm import RATE_HZ, silence
from livebot.errors import ConfigError
from livebot.stt.engine import Capabilities, SttStream
from livebot.stt.languages import AUTO
from livebot.stt.remote import Connection, Endpoint, dial, tls_context


class RemoteEngine:
    """What engines behind a WebSocket share: where they are, and how a stream is opened.

    They know English and French, and the model itself hears which one it is: whoever does not
    know may say `auto`.

    Args:
        endpoint: Where to.
        begin: Begins the conversation on an open connection.
        word_times: Whether words carry times.
        pauses: Whether the endpoint tells pauses.
        session_s: How long the endpoint lets a stream live; None where it does not mind.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        begin: Callable[[Connection], Awaitable[SttStream]],
        *,
        word_times: bool,
        pauses: bool,
        session_s: float | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._begin = begin
        self._tls: ssl.SSLContext | None = None
        self.capabilities = Capabilities(
            languages={"en": "English", "fr": "French", AUTO: "Automatic"},
            word_times=word_times,
            pauses=pauses,
            cold_start_s=endpoint.patience_s,
            session_s=session_s,
            hears_language=True,
        )

    async def __aenter__(self) -> Self:
        """Load the certificates."""
        self._tls = await tls_context(self._endpoint)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave nothing: a stream belongs to whoever opened it."""

    def open(self, *, language: str) -> AbstractAsyncContextManager[SttStream]:
        """Open a stream; the protocols have no word for the language.

        One try: an endpoint that is starting up may refuse it, or take up to
        `capabilities.cold_start_s` to answer.
        """
        del language
        return self._open()

    async def check(self) -> str:
        """Open a stream once, send silence, and say how long it took."""
        return await rehearse(self._open(), self._endpoint.host)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[SttStream]:
        async with dial(self._endpoint, self._tls) as connection:
            yield await self._begin(connection)


async def rehearse(opening: AbstractAsyncContextManager[SttStream], host: str) -> str:
    """Have a silent conversation on a new stream; return how long opening it took.

    Raises:
        EngineError: It does not work.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with opening as stream:
        opened_s = loop.time() - started
        await stream.send(silence(RATE_HZ))
        await stream.finish()
        async for _ in stream.events():
            pass
    return f"{host} opened a stream in {opened_s:.1f} s and took audio"


def number(options: Mapping[str, str], name: str, default: float, *, least: float = 0.0) -> float:
    """Return an option that is a number.

    Raises:
        ConfigError: It is none, or below `least`.
    """
    text = options.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        raise ConfigError(f"engine option {name} must be a number of at least {least:g}")
    return value
