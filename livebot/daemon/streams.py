"""Live streams of clients: audio in, words out; each ends with one line that says how.

Audio that waits is bounded by `WINDOW` per stream. A client that sends no faster than people
speak never meets it; others wait for `taken`.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.daemon import answers
from livebot.daemon.answers import Answer
from livebot.daemon.faults import STOPPING, noted
from livebot.daemon.host import Host
from livebot.daemon.requests import Audio, Close, Finish, Name, Open
from livebot.errors import AudioError, LivebotError
from livebot.stt import wire
from livebot.stt.engine import SttStream

MAX_STREAMS = 64

_SECOND = RATE_HZ * wire.SAMPLE_BYTES

WINDOW = 30 * _SECOND
"""Bytes of a stream's audio that the engine has not taken: half a minute."""

TAKEN_EVERY = _SECOND
"""Bytes."""

MAX_ENDED = 1000
"""Streams of which it is remembered that they ended: what still comes for them is dropped."""


class _Live:
    """A stream of a client.

    Args:
        request: Who asked for it.
        say: Tells the client.
        room: Waits until the client has read enough.

    Attributes:
        last: What to tell the client when the task was cancelled.
    """

    def __init__(
        self, request: Open, say: Callable[[Answer], None], room: Callable[[], Awaitable[None]]
    ) -> None:
        self._request = request
        self._say = say
        self._room = room
        self._waiting: deque[Samples | None] = deque()
        self._news = asyncio.Event()
        self._under_way = 0
        self._untold = 0
        self._finished = False
        self.last: Answer = {}

    def put(self, payload: bytes) -> None:
        """Take audio in.

        Raises:
            AudioError: It is none, or more than may wait.
        """
        if self._finished:
            raise AudioError("audio after finish: open another stream")
        samples = wire.decode_audio(payload)
        self._under_way += len(payload)
        if self._under_way > WINDOW:
            raise AudioError(f"more than {WINDOW} bytes of audio wait: heed what is taken")
        self._waiting.append(samples)
        self._news.set()

    def finish(self) -> None:
        """Note that no more audio comes."""
        if not self._finished:
            self._finished = True
            self._waiting.append(None)
            self._news.set()

    def end(self, kind: str, **facts: str) -> None:
        """Note how it ends when its task is cancelled; what was noted first stays."""
        self.last = self.last or answers.stream(kind, self._request.stream, **facts)

    async def run(self, host: Host) -> Answer:
        """Serve the client; return how that ended."""
        name, reason = self._request.stream, ""
        try:
            await self._converse(host)
        except* LivebotError as found:
            reason = str(_first(found))
        except* Exception as found:  # noqa: BLE001 - one stream must not end its neighbours
            reason = noted(_first(found))
        return answers.stream("error", name, error=reason) if reason else _done(name)

    async def _converse(self, host: Host) -> None:
        request = self._request
        async with host.open(language=request.language or "", model=request.model or "") as stream:
            self._say(answers.stream("opened", request.stream, window=WINDOW, rate_hz=RATE_HZ))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(stream), name="daemon-stream-send")
                async for event in stream.events():
                    self._say(answers.of_stream(request.stream, event))
                    await self._room()

    async def _send(self, stream: SttStream) -> None:
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            if (samples := self._waiting.popleft()) is None:
                await stream.finish()
                return
            await stream.send(samples)
            self._take(len(samples) * wire.SAMPLE_BYTES)

    def _take(self, count: int) -> None:
        """Note that so many bytes are with the engine; tell it now and then."""
        self._under_way -= count
        self._untold += count
        if self._untold >= TAKEN_EVERY:
            self._say(answers.stream("taken", self._request.stream, bytes=self._untold))
            self._untold = 0


class LiveStreams:
    """The streams of all clients of this daemon, by name.

    Args:
        host: Recognises.
        models: The names that requests may use.
        say: Tells clients what must be told.
        room: Waits until they have read enough.
        group: Whose tasks the streams are.
    """

    def __init__(
        self,
        host: Host,
        *,
        models: Collection[str],
        say: Callable[[Answer], None],
        room: Callable[[], Awaitable[None]],
        group: asyncio.TaskGroup,
    ) -> None:
        self._host = host
        self._models = models
        self._say = say
        self._room = room
        self._group = group
        self._open: dict[Name, tuple[_Live, asyncio.Task[Answer]]] = {}
        self._ended: OrderedDict[Name, None] = OrderedDict()

    @property
    def tasks(self) -> Collection[asyncio.Task[Answer]]:
        """Return what is under way."""
        return [task for _, task in self._open.values()]

    def open(self, request: Open) -> None:
        """Begin a stream, or refuse it."""
        name = request.stream
        if name in self._open:
            self._refuse(name, "a stream of this name is open: choose another name")
        elif len(self._open) >= MAX_STREAMS:
            self._refuse(name, f"{MAX_STREAMS} streams are open: close one first", busy=True)
        elif request.model and request.model not in self._models:
            known = ", ".join(sorted(self._models))
            self._refuse(name, f"there is no such model; have {known}")
        else:
            live = _Live(request, self._say, self._room)
            task = self._group.create_task(live.run(self._host), name="daemon-stream")
            self._open[name] = live, task
            self._ended.pop(name, None)
            task.add_done_callback(partial(self._over, name))

    def take(self, request: Audio | Finish | Close) -> None:
        """Take in what a client says of one of its streams."""
        found = self._open.get(request.stream)
        if found is None:
            if request.stream not in self._ended:
                self._refuse(request.stream, "there is no such stream: open it first")
            return
        live, task = found
        match request:
            case Audio(payload=payload):
                try:
                    live.put(payload)
                except AudioError as exc:
                    live.end("error", error=str(exc))
                    task.cancel()
            case Finish():
                live.finish()
            case Close():
                live.end("closed")
                task.cancel()

    def finish(self) -> None:
        """Note that no more audio comes for any of them."""
        for live, _ in self._open.values():
            live.finish()

    def stop(self) -> None:
        """Give up all of them."""
        for live, task in self._open.values():
            live.end("error", error=STOPPING)
            task.cancel()

    def _over(self, name: Name, task: asyncio.Task[Answer]) -> None:
        live, _ = self._open.pop(name)
        self._ended[name] = None
        if len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)
        self._say(live.last if task.cancelled() else task.result())

    def _refuse(self, name: Name, reason: str, **facts: bool) -> None:
        self._say(answers.stream("error", name, error=reason, refused=True, **facts))


def _done(name: Name) -> Answer:
    return answers.stream("done", name)


def _first(found: BaseException) -> Exception:
    """Return the first fault of a group."""
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, Exception) else RuntimeError(type(found).__name__)
