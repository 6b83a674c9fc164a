"""Kyutai's own server, moshi-server, in its msgpack protocol.

Words come with their start; their end is said so late, often only with the next word,
that a caption cannot wait for it: words are told without. Pauses come from the model.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from math import ceil
from urllib.parse import urlsplit, urlunsplit

from livebot.audio.pcm import Samples, silence
from livebot.errors import ConfigError, EngineBusyError, EngineError
from livebot.stt import moshi_wire, remote, wire
from livebot.stt.engine import Pause, SttEvent, SttStream, Word
from livebot.stt.remote_engine import RemoteEngine, number

PATH = "/api/asr-streaming"
PUBLIC_KEY = "public_token"
"""What the server's example configurations accept."""

CURE = "check the server's address and that its authorized_ids have our key"

COLD_START_S = 120.0
DELAY_MS = 500.0
STEP_MS = 80.0

READY_MS = 5_000.0
"""A server that is not batched never says that it is ready. One that is, and is only slow,
keeps the audio that comes earlier, so going on without its word loses nothing."""

MARGIN_STEPS = 6
"""A word is said with the padding after it: half a second of silence brings it out."""

MARKER = 1
FINISH_WITHIN_S = 5.0


class MoshiEngine(RemoteEngine):
    """Opens channels at one moshi-server.

    Args:
        options: `url` (`ws://host:8080`; the usual path is added where there is none); `key`;
            `delay_ms`, the model's delay (2500 for the larger one); `cold_start_s`, how long
            connecting may take; `ready_ms`, how long to wait for a server to say it is ready.

    Raises:
        ConfigError: There is no address, or an option makes no sense.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        endpoint = remote.Endpoint(
            url=_url(options),
            headers={"kyutai-api-key": options.get("key") or PUBLIC_KEY},
            cure=CURE,
            patience_s=number(options, "cold_start_s", COLD_START_S),
        )
        super().__init__(endpoint, self._stream, word_times=True, pauses=True)
        self._delay_steps = ceil(number(options, "delay_ms", DELAY_MS) / STEP_MS)
        self._ready_s = number(options, "ready_ms", READY_MS) / 1000

    async def _stream(self, connection: remote.Connection) -> SttStream:
        stream = MoshiStream(connection, self._delay_steps)
        await stream.wait_ready(self._ready_s)
        return stream


def _url(options: Mapping[str, str]) -> str:
    url = options.get("url")
    if not url:
        raise ConfigError("the engine moshi needs an address: set STT_STREAM_URL")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=PATH)) if parts.path in {"", "/"} else url


class MoshiStream:
    """One channel of the server.

    The server hangs up after two minutes without audio.

    Args:
        connection: The open WebSocket.
        delay_steps: The model's delay, in steps of 80 ms.
    """

    def __init__(self, connection: remote.Connection, delay_steps: int) -> None:
        self._connection = connection
        self._delay_steps = delay_steps
        self._pauses = moshi_wire.PauseDetector(delay_steps)
        self._loop = asyncio.get_running_loop()
        self._early: moshi_wire.Message | None = None
        self._is_batched = False
        self._heard_at = 0.0
        self._is_finishing = False
        self._finished_at: float | None = None
        self._wait: asyncio.Timeout | None = None

    async def wait_ready(self, within_s: float) -> None:
        """Wait until the server has a channel for us, or shows that it does not say so.

        Raises:
            EngineBusyError: All channels are taken.
            EngineError: The server is gone or refuses.
        """
        try:
            async with asyncio.timeout(within_s):
                message = await self._receive()
        except TimeoutError:
            return
        self._refuse(message)
        self._is_batched = isinstance(message, moshi_wire.Ready)
        if not self._is_batched:
            self._early = message

    async def send(self, chunk: Samples) -> None:
        """Hand over one chunk; waits while the endpoint cannot take more."""
        if len(chunk):
            await self._connection.send(moshi_wire.encode_audio(chunk))

    async def finish(self) -> None:
        """Mark the end; `events()` ends once the server has come to it.

        The model only steps while audio flows, so the mark needs silence behind it as well.
        """
        if self._is_finishing:
            return
        self._is_finishing = True
        tail = silence((self._delay_steps + MARGIN_STEPS) * moshi_wire.FRAME)
        await self.send(tail)
        await self._connection.send(moshi_wire.encode_marker(MARKER))
        await self.send(tail)
        # The clock starts here: what a server has not read yet it cannot answer.
        await self._connection.wait_read()
        self._finished_at = self._loop.time()
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(self._deadline())

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield words with their start, and the pauses between utterances."""
        while (message := await self._next()) is not None:
            for event in self._events(message):
                yield event

    def _events(self, message: moshi_wire.Message) -> list[SttEvent]:
        self._refuse(message)
        match message:
            case moshi_wire.WordStarted(text=text, start_s=start_s):
                words = [Word(part, start=max(0.0, start_s)) for part in text.split()]
                if words:
                    self._pauses.word()
                return list(words)
            case moshi_wire.Step(pauses=pauses) if self._pauses.step(pauses):
                return [Pause()]
            case _:
                return []

    async def _next(self) -> moshi_wire.Message | None:
        """Return the next message; None once the last words are out."""
        if (early := self._early) is not None:
            self._early = None
            return early
        try:
            message = await self._receive_until()
        except TimeoutError as exc:
            await self._connection.close()
            # Servers that batch send the mark back; of others one cannot be sure.
            if self._is_batched and self._heard_at < (self._finished_at or 0.0):
                raise EngineError("moshi-server did not get to the end of the audio") from exc
            return None
        except EngineError:
            if self._finished_at is not None and self._connection.is_ended:
                return None
            raise
        if message == moshi_wire.Marked(MARKER):
            await self._connection.close()
            return None
        return message

    async def _receive_until(self) -> moshi_wire.Message:
        try:
            async with asyncio.timeout_at(self._deadline()) as self._wait:
                return await self._receive()
        finally:
            self._wait = None

    async def _receive(self) -> moshi_wire.Message:
        """Return the next message of a known type."""
        while True:
            data = await self._connection.receive()
            self._heard_at = self._loop.time()
            # A text frame is none of the protocol's, and ignored by the server as well.
            if isinstance(data, bytes) and (message := moshi_wire.decode(data)) is not None:
                return message

    def _refuse(self, message: moshi_wire.Message) -> None:
        if not isinstance(message, moshi_wire.Failed):
            return
        if message.is_busy:
            raise EngineBusyError("moshi-server has no free channels")
        raise EngineError(f"moshi-server reports an error: {wire.shorten(message.message)}")

    def _deadline(self) -> float | None:
        """Return until when to wait: for the mark; else a dead peer is found by pings."""
        return None if self._finished_at is None else self._finished_at + FINISH_WITHIN_S
