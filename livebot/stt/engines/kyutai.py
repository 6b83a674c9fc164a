"""Kyutai's model behind the binary WebSocket of Modal's service, or of `livebot stt-server`.

The protocol has no last message, in neither direction: the last words are brought out
with silence, and are over when nothing more comes. It closes with code 1000 whatever
the reason, so a close that is not ours is a fault to come back from.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from math import ceil

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.errors import ConfigError, EngineError
from livebot.stt import remote, wire
from livebot.stt.engine import SttEvent, SttStream, Word
from livebot.stt.remote_engine import RemoteEngine, number

MODAL_URL = "wss://{workspace}--kyutai-stt-rust-kyutaisttrustservice-serve.modal.run/v1/stream"

CURE = "check STT_STREAM_URL or MODAL_WORKSPACE, and MODAL_KEY and MODAL_SECRET"

COLD_START_S = 120.0
SESSION_S = 1800.0
"""Modal ends a call of its function after so long."""

DELAY_MS = 500.0
CHUNK_MS = 200.0

FRAME = 1_920
"""The model's step: 80 ms. What is less than one is dropped when the stream closes."""

FLUSH_MARGIN_MS = 1_500.0
"""Silence beyond the model's delay: a word comes with the padding after it, and a local
engine behind `livebot stt-server` wants to hear that the utterance is over. It is sent in
one burst, so it costs no time."""

SIGN_OF_LIFE_S = 5.0
"""After so long without audio a frame of silence goes out: the service hangs up after 30 s,
its older version after 10."""

AHEAD_S = 1.0
"""By so much may a word's time be beyond what was sent: an engine pads, and rounds."""

FIRST_WORD_S = 3.0
NEXT_WORD_S = 1.5
FINISH_WITHIN_S = 6.0
"""How long the last words are waited for once all audio was read: the first, each after it, and
all together."""


class KyutaiEngine(RemoteEngine):
    """Opens streams at one endpoint.

    Args:
        options: `url` (the stream's full address) or `workspace` (of Modal); `key` and `secret`;
            `delay_ms`, the model's delay (2500 for the larger one); `chunk_ms`, the longest
            message; `cold_start_s`, how long opening may take; `session_s`, how long the endpoint
            lets a stream live (0 for ever).

    Raises:
        ConfigError: There is no address, or an option makes no sense.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        keys = {"Modal-Key": options.get("key"), "Modal-Secret": options.get("secret")}
        endpoint = remote.Endpoint(
            url=_url(options),
            headers={name: value for name, value in keys.items() if value},
            cure=CURE,
            patience_s=number(options, "cold_start_s", COLD_START_S),
        )
        super().__init__(
            endpoint,
            self._stream,
            # Some endpoints tell both, but one cannot know before they do.
            word_times=False,
            pauses=False,
            session_s=number(options, "session_s", SESSION_S) or None,
        )
        self._chunk = int(number(options, "chunk_ms", CHUNK_MS, least=1) * RATE_HZ / 1000)
        flush_ms = number(options, "delay_ms", DELAY_MS) + FLUSH_MARGIN_MS
        self._flush = ceil(flush_ms * RATE_HZ / 1000 / FRAME) * FRAME

    async def _stream(self, connection: remote.Connection) -> SttStream:
        return KyutaiStream(connection, chunk=self._chunk, flush=self._flush)


def _url(options: Mapping[str, str]) -> str:
    if url := options.get("url"):
        return url
    if workspace := options.get("workspace"):
        return MODAL_URL.format(workspace=workspace)
    raise ConfigError("the engine kyutai needs an address: set STT_STREAM_URL or MODAL_WORKSPACE")


class KyutaiStream:
    """One conversation with the service.

    Whoever pauses without sending must go on iterating `events()`: there the signs of life
    are sent.

    Args:
        connection: The open WebSocket.
        chunk: The most samples in one message.
        flush: The silence, in samples, that brings out the last words.
    """

    def __init__(self, connection: remote.Connection, *, chunk: int, flush: int) -> None:
        self._connection = connection
        self._chunk = chunk
        self._flush = flush
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self._sent = 0
        self._fillers = _Fillers()
        self._heard_at = self._sent_at
        self._is_finishing = False
        self._finished_at: float | None = None
        self._wait: asyncio.Timeout | None = None

    async def send(self, chunk: Samples) -> None:
        """Hand over one chunk; waits while the endpoint cannot take more."""
        for start in range(0, len(chunk), self._chunk):
            self._sent_at = self._loop.time()
            piece = wire.encode_audio(chunk[start : start + self._chunk])
            await self._connection.send(piece)
            self._sent += len(piece) // wire.SAMPLE_BYTES

    async def finish(self) -> None:
        """Bring out the last words with silence; `events()` ends once no more come."""
        if self._is_finishing:
            return
        self._is_finishing = True
        await self.send(silence(self._flush))
        # The clock starts here: what an endpoint has not read yet it cannot answer.
        await self._connection.wait_read()
        self._finished_at = self._heard_at = self._loop.time()
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(self._deadline())

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield words, and pauses where the endpoint tells them."""
        decoder = wire.Decoder()
        while (message := await self._next()) is not None:
            for event in decoder.feed(message):
                self._heard_at = self._loop.time()
                yield self._fillers.without(self._without_lies(event))

    def _without_lies(self, event: SttEvent) -> SttEvent:
        """Return the event without times beyond what was sent.

        Audio and words up to there would be taken for answered, and never be sent or told again.
        """
        most_s = self._sent / RATE_HZ + AHEAD_S
        if isinstance(event, Word) and max(event.start or 0.0, event.end or 0.0) > most_s:
            return replace(event, start=None, end=None)
        return event

    async def _next(self) -> str | bytes | None:
        """Return the next message; None once the last words are out."""
        while True:
            try:
                return await self._receive()
            except TimeoutError:
                if self._finished_at is not None:
                    await self._connection.close()
                    return None
                if self._loop.time() >= self._deadline():
                    self._fillers.sent(self._sent)
                    await self.send(silence(FRAME))
            except EngineError:
                if self._finished_at is not None and self._connection.is_ended:
                    return None
                raise

    async def _receive(self) -> str | bytes:
        try:
            async with asyncio.timeout_at(self._deadline()) as self._wait:
                return await self._connection.receive()
        finally:
            self._wait = None

    def _deadline(self) -> float:
        """Return until when to wait: for a sign of life's turn, or for the last words."""
        if self._finished_at is None:
            return self._sent_at + SIGN_OF_LIFE_S
        has_heard = self._heard_at > self._finished_at
        quiet_at = self._heard_at + (NEXT_WORD_S if has_heard else FIRST_WORD_S)
        return min(quiet_at, self._finished_at + FINISH_WITHIN_S)


class _Fillers:
    """Signs of life, which the endpoint hears as audio and our caller never sent."""

    def __init__(self) -> None:
        self._at_s: deque[tuple[float, int]] = deque(maxlen=256)

    def sent(self, position: int) -> None:
        """Note that one goes out after so many samples."""
        count = self._at_s[-1][1] + 1 if self._at_s else 1
        self._at_s.append((position / RATE_HZ, count))

    def without(self, event: SttEvent) -> SttEvent:
        """Return the event with the times of our caller's audio."""
        if not isinstance(event, Word):
            return event
        return replace(event, start=self._moved(event.start), end=self._moved(event.end))

    def _moved(self, seconds: float | None) -> float | None:
        if seconds is None:
            return None
        before = (count for at_s, count in reversed(self._at_s) if at_s < seconds)
        return max(0.0, seconds - next(before, 0) * FRAME / RATE_HZ)
