"""One life of one worker process, seen from the parent.

One task reads what the worker says and hands it to the streams. Writing never waits:
what may be under way is bounded per stream by the worker's `Taken`.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog
from msgspec.structs import replace

from livebot.errors import EngineError
from livebot.stt.host import framing, messages, order
from livebot.stt.host.framing import FramingError
from livebot.stt.host.messages import (
    Close,
    Failed,
    FromWorker,
    Open,
    Ping,
    Pong,
    Read,
    Ready,
    ToWorker,
)
from livebot.stt.host.order import Order
from livebot.stt.host.stream import HostStream, Note
from livebot.stt.languages import AUTO

log = structlog.get_logger("stt.host")

PING_S = 2.5
SILENT_S = 10.0
"""Pings are answered at once, even while the model works: who says nothing for so long hangs.
A third of what is kept to be sent again, so it costs no words."""

BUSY_S = 60.0
"""A pass takes a second at most; on a machine with far too much to do, many times that."""

STOP_S = 2.0

_READ = 65_536


def _readiness(message: FromWorker) -> Ready:
    match message:
        case Ready():
            return message
        case Failed(message=text):
            raise EngineError(text, retryable=False)
        case _:
            raise EngineError("a worker spoke before it was ready")


class WorkerProcess:
    """A running worker and its streams.

    Args:
        process: Started with pipes.
        busy_s: How long one pass of the model may take.
    """

    def __init__(self, process: Process, *, busy_s: float = BUSY_S) -> None:
        self._process = process
        self._busy_s = busy_s
        self._decoder = framing.Decoder()
        self._streams: dict[int, HostStream] = {}
        self._next_stream = 0
        self.is_alive = True

    @classmethod
    async def start(cls, wanted: Order, *, busy_s: float = BUSY_S) -> "WorkerProcess":
        """Start the program; it is not ready yet.

        Raises:
            EngineError: The system does not let us.
        """
        program = [sys.executable, "-m", "livebot.stt.host.worker", order.write(wanted)]
        try:
            process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
        except OSError as exc:
            raise EngineError("a recognition worker cannot be started") from exc
        return cls(process, busy_s=busy_s)

    @property
    def load(self) -> int:
        """Return how many streams it serves."""
        return len(self._streams)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    async def ready(self, within_s: float) -> Ready:
        """Wait until the model is loaded.

        Raises:
            EngineError: It cannot be, or takes longer.
        """
        try:
            async with asyncio.timeout(within_s):
                while data := await self._read():
                    for message in self._parse(data):
                        return _readiness(message)
        except TimeoutError as exc:
            raise EngineError(f"a worker was not ready within {within_s:.0f} s") from exc
        raise EngineError("a worker ended before it was ready")

    async def run(self) -> None:
        """Serve the streams until the worker ends.

        Raises:
            EngineError: It ended, hung or spoke nonsense; its streams know.
        """
        loop = asyncio.get_running_loop()
        fault = EngineError("the recognition worker ended")
        watch: asyncio.TimerHandle = loop.call_later(PING_S, self._ping)
        try:
            while True:
                async with asyncio.timeout(SILENT_S):
                    data = await self._read()
                if not data:
                    raise fault
                watch.cancel()
                watch = loop.call_later(PING_S, self._ping)
                for message in self._parse(data):
                    self._hand_over(message)
        except TimeoutError as exc:
            fault = EngineError("the recognition worker hangs")
            raise fault from exc
        except FramingError as exc:
            # Whatever this one said, the next one may do better: no reason to refuse streams.
            fault = EngineError(f"the recognition worker: {exc}")
            raise fault from exc
        finally:
            watch.cancel()
            self.is_alive = False
            for stream in self._streams.values():
                stream.fail(fault)
            self._streams.clear()

    async def stop(self) -> None:
        """End the program: by the end of its input, and after `STOP_S` by force."""
        self.is_alive = False
        if (stdin := self._process.stdin) is not None:
            stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self._drain()
                await self._process.wait()
        except TimeoutError:
            pass  # below
        finally:
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()

    def open(self, language: str = AUTO) -> HostStream:
        """Begin a stream of somebody who speaks now."""
        return self._begin(lambda number: Open(number, language), lambda _: None)

    def read(self, wanted: Read, on_note: Callable[[Note], None]) -> HostStream:
        """Begin with a file; the number in `wanted` is of no account."""
        return self._begin(lambda number: replace(wanted, stream=number), on_note)

    def _begin(
        self, message: Callable[[int], Open | Read], on_note: Callable[[Note], None]
    ) -> HostStream:
        number = self._next_stream
        self._next_stream += 1
        stream = HostStream(number, self._send, on_note)
        self._send(message(number))
        self._streams[number] = stream
        return stream

    def close(self, stream: HostStream) -> None:
        """End a stream, whatever it was doing."""
        if self._streams.pop(stream.number, None) is not None:
            with suppress(EngineError):  # It ended a moment ago, and its streams with it.
                self._send(Close(stream.number))

    def _send(self, message: ToWorker, payload: bytes = b"") -> None:
        stdin = self._process.stdin
        if not self.is_alive or stdin is None or stdin.is_closing():
            raise EngineError("the recognition worker ended")
        stdin.write(framing.encode(messages.to_frame(message, payload)))

    def _ping(self) -> None:
        with suppress(EngineError):  # It has just ended: whoever reads is told.
            self._send(Ping())

    async def _read(self) -> bytes:
        stdout = self._process.stdout
        return await stdout.read(_READ) if stdout is not None else b""

    async def _drain(self) -> None:
        """Read what the worker still says, or it could not end."""
        while await self._read():
            pass

    def _parse(self, data: bytes) -> Iterator[FromWorker]:
        for frame in self._decoder.feed(data):
            yield messages.read_from_worker(frame)

    def _hand_over(self, message: FromWorker) -> None:
        match message:
            case Pong(busy_s=busy_s):
                if busy_s > self._busy_s:
                    raise FramingError(f"a pass of the model has taken {busy_s:.0f} s")
            case Ready():
                raise FramingError("a worker was ready twice")
            case Failed(message=text):
                raise FramingError(text)
            case _:
                # Words of a stream that was closed meanwhile have no reader any more.
                if stream := self._streams.get(message.stream):
                    stream.take(message)
