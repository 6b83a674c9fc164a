"""The worker: a process with the model, serving several streams on one core.

    python -m livebot.stt.host.worker [MODEL_FOLDER]

It speaks `messages.py` on stdin and stdout and nothing but log lines on stderr. It ends
with its input, so no worker outlives its parent.
"""

import os
import resource
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.errors import EngineError
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.host import framing
from livebot.stt.host.framing import Frame, FramingError
from livebot.stt.host.inbox import Inbox
from livebot.stt.host.messages import (
    Audio,
    Close,
    Done,
    Failed,
    Finish,
    FromWorker,
    Maybe,
    Open,
    Paused,
    Ping,
    Pong,
    Read,
    Ready,
    Spoken,
    Taken,
    read_to_worker,
    to_frame,
)
from livebot.stt.host.scheduler import Pace, Scheduler
from livebot.stt.local import files
from livebot.stt.local.moonshine import Moonshine
from livebot.stt.local.streaming import SpeechStream, Want
from livebot.stt.local.vad import VadModel
from livebot.stt.model import RATE_HZ as MODEL_HZ

_SAMPLE_BYTES = 4

MAX_MEMORY = 1 << 30
"""Bytes; a worker with eight speakers takes a quarter of it. One that takes more ends with an
error, and another is started, before it takes the machine's memory."""

MAX_WAITING_S = 60.0
"""Audio of finished utterances that may wait for the model before its stream must wait too."""


@dataclass(slots=True)
class _Speaker:
    """One stream: audio not yet taken, the state of its recognition, and whether it ends."""

    recognition: SpeechStream
    resampler: Resampler
    pace: Pace = field(default_factory=Pace)
    untaken: deque[bytes] = field(default_factory=deque)
    finishing: bool = False
    finished: bool = False


class Worker:
    """The streams of this process; does one thing at a time.

    Args:
        open_stream: Makes the recognition of a new stream.
        say: Sends a message to the parent.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        open_stream: Callable[[], SpeechStream],
        say: Callable[[FromWorker], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._open_stream = open_stream
        self._say = say
        self._clock = clock
        self._speakers: dict[int, _Speaker] = {}
        self._scheduler = Scheduler()
        self._busy_since: float | None = None

    @property
    def busy_s(self) -> float:
        """Return for how long a pass has been running; may be asked by any thread."""
        since = self._busy_since
        return 0.0 if since is None else self._clock() - since

    def answer(self, frame: Frame) -> bool:
        """Answer a ping while a pass may be running; return whether it was one."""
        is_ping = not frame.payload and isinstance(read_to_worker(frame), Ping)
        if is_ping:
            self._say(Pong(self.busy_s))
        return is_ping

    def receive(self, frame: Frame) -> None:
        """Take in what the parent says.

        Raises:
            FramingError: It is no message.
        """
        match read_to_worker(frame):
            case Open(stream=stream):
                resampler = Resampler(RATE_HZ, MODEL_HZ)
                self._speakers[stream] = _Speaker(self._open_stream(), resampler)
            case Audio(stream=stream):
                if len(frame.payload) % _SAMPLE_BYTES:
                    raise FramingError("audio must be whole samples", retryable=False)
                if speaker := self._speakers.get(stream):
                    speaker.untaken.append(frame.payload)
                    audio_s = len(frame.payload) / (_SAMPLE_BYTES * RATE_HZ)
                    speaker.pace.feed(audio_s, self._clock())
            case Finish(stream=stream):
                if speaker := self._speakers.get(stream):
                    speaker.finishing = True
            case Close(stream=stream):
                self._forget(stream)
            case Ping():
                self._say(Pong(self.busy_s))
            case Read():
                raise FramingError("files are not read yet", retryable=False)

    def work(self) -> bool:
        """Listen to what has come and run one pass; return whether there is more to do."""
        for stream, speaker in list(self._speakers.items()):
            self._hear(stream, speaker)
        chosen = self._scheduler.choose(self._wants())
        if chosen is not None:
            started = self._busy_since = self._clock()
            self._tell(chosen, self._speakers[chosen].recognition.run())
            self._busy_since = None
            self._scheduler.ran(chosen, self._clock() - started)
        for stream, speaker in list(self._speakers.items()):
            if speaker.finished and speaker.recognition.wants() is None:
                self._say(Done(stream))
                self._forget(stream)
        return chosen is not None

    def _wants(self) -> dict[int, Want]:
        wants = {}
        for stream, speaker in self._speakers.items():
            want = speaker.recognition.wants()
            if want and (want.is_final or not speaker.pace.is_recording):
                wants[stream] = want
            elif not speaker.recognition.is_speaking:
                self._scheduler.fell_silent(stream)
        return wants

    def _hear(self, stream: int, speaker: _Speaker) -> None:
        """Give a stream's audio to its recognition, unless too much waits there already."""
        while speaker.untaken and speaker.recognition.waiting_s < MAX_WAITING_S:
            payload = speaker.untaken.popleft()
            samples = np.frombuffer(payload, "<f4")
            speaker.recognition.push(speaker.resampler.push(samples))
            self._say(Taken(stream, len(payload)))
        if speaker.finishing and not speaker.untaken and not speaker.finished:
            speaker.recognition.push(speaker.resampler.flush())
            speaker.recognition.finish()
            speaker.finished = True

    def _tell(self, stream: int, events: list[SttEvent]) -> None:
        for event in events:
            match event:
                case Word(text=text, start=start, end=end, joined=joined):
                    self._say(Spoken(stream, text, start or 0.0, end or 0.0, joined))
                case Tentative(text=text):
                    self._say(Maybe(stream, text))
                case Pause():
                    self._say(Paused(stream))

    def _forget(self, stream: int) -> None:
        self._speakers.pop(stream, None)
        self._scheduler.fell_silent(stream)


def _load(chosen: str) -> tuple[Callable[[], SpeechStream], Ready]:
    """Load the models and try them."""
    started = time.perf_counter()
    folder = files.model_folder(chosen)
    model = Moonshine(folder)
    voice = VadModel(files.vad_file())
    loaded = time.perf_counter()
    trial: Samples = np.random.default_rng(0).normal(0, 0.01, MODEL_HZ).astype(np.float32)
    voice.stream()(trial[: len(trial) // 512 * 512])
    model.listen(trial).words()
    ready = Ready(
        folder.name,
        str(folder),
        dict(model.languages),
        loaded - started,
        time.perf_counter() - loaded,
    )
    return lambda: SpeechStream(model.listen, voice.stream()), ready


_saying = threading.Lock()


def _say(message: FromWorker) -> None:
    data = framing.encode(to_frame(message))
    with _saying:
        while data:
            data = data[os.write(1, data) :]


def main() -> int:
    """Serve until the input ends; return the exit code."""
    # Control-C and a service manager's SIGTERM go to every process; the parent decides what
    # they mean, and there may be last words to recognise. It ends us by closing our input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    try:
        open_stream, ready = _load(sys.argv[1] if len(sys.argv) > 1 else "")
    except EngineError as exc:
        _say(Failed(str(exc)))
        return 1
    worker = Worker(open_stream, _say)
    inbox = Inbox(0, worker.answer)
    try:
        _say(ready)
        more = False
        while (frames := inbox.take(wait=not more)) is not None:
            for frame in frames:
                worker.receive(frame)
            more = worker.work()
    except BrokenPipeError:
        return 0  # the parent is gone
    except EngineError as exc:
        _say(Failed(str(exc)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
