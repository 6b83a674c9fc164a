"""What a worker does: the streams of several speakers and files, on one core, in turn."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from livebot.audio.pcm import Samples
from livebot.errors import RecordingError
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.host.framing import Frame
from livebot.stt.host.listener import Listener
from livebot.stt.host.messages import (
    Audio,
    Close,
    Done,
    Finish,
    FromWorker,
    Language,
    Maybe,
    Open,
    Paused,
    Ping,
    Pong,
    Progress,
    Read,
    Spoken,
    Taken,
    Unreadable,
    read_to_worker,
)
from livebot.stt.host.scheduler import Scheduler
from livebot.stt.host.sources import FileAudio, LiveAudio
from livebot.stt.local.streaming import SpeechStream, VoiceActivity, Want
from livebot.stt.model import Detected, SpeechModel

MAX_WAITING_S = 60.0
"""Audio of finished utterances that may wait for the model before its stream must wait too."""

BLOCKS_AT_ONCE = 8
"""Of a file, between two passes: some 20 ms of work, so that people who speak do not wait."""

PROGRESS_EVERY_S = 0.2

Source: TypeAlias = LiveAudio | FileAudio


@dataclass(slots=True)
class _Stream:
    """One stream: where its audio comes from, and the state of its recognition.

    Attributes:
        source: Audio not yet taken.
        recognition: What became of the rest.
        finished: Whether the recognition knows that no more comes.
        shown_s: How far a file has been said to be.
        shown_at: When that was said.
        turn: When a file had its last pass, as a number that grows.
    """

    source: Source
    recognition: SpeechStream
    finished: bool = False
    shown_s: float = 0.0
    shown_at: float = field(default=float("-inf"))
    turn: int = 0


class Worker:
    """The streams of this process; does one thing at a time.

    Args:
        model: Recognises.
        voice: Makes the voice activity of a new stream.
        say: Sends a message to the parent.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        model: SpeechModel,
        voice: Callable[[], VoiceActivity],
        say: Callable[[FromWorker], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._model = model
        self._voice = voice
        self._say = say
        self._clock = clock
        self._streams: dict[int, _Stream] = {}
        self._scheduler = Scheduler()
        self._passes = 0
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
            case Open(stream=number, language=language):
                speech = LiveAudio(lambda count: self._say(Taken(number, count)))
                self._begin(number, speech, language)
            case Read(stream=number, language=language, translate=translate) as read:
                file = FileAudio(Path(read.path), read.from_s)
                self._begin(number, file, language, translate=translate)
            case Audio(stream=number):
                if live := self._live(number):
                    live.put(frame.payload, self._clock())
            case Finish(stream=number):
                if live := self._live(number):
                    live.finish()
            case Close(stream=number):
                self._forget(number)
            case Ping():
                self._say(Pong(self.busy_s))

    def work(self) -> bool:
        """Listen to what has come and run one pass; return whether there is more to do."""
        for number, stream in list(self._streams.items()):
            self._hear(number, stream)
        chosen = self._choose()
        if chosen is not None:
            self._run(chosen, self._streams[chosen])
        for number, stream in list(self._streams.items()):
            if stream.finished and stream.recognition.wants() is None:
                self._tell_progress(number, stream, is_done=True)
                self._say(Done(number))
                self._forget(number)
        return chosen is not None or any(s.source.is_file for s in self._streams.values())

    def _begin(
        self, number: int, source: Source, language: str, *, translate: bool = False
    ) -> None:
        def detected(found: Detected) -> None:
            self._say(Language(number, found.language, round(found.probability, 3)))

        listener = Listener(self._model, language, detected, translate=translate)
        self._streams[number] = _Stream(source, SpeechStream(listener, self._voice()))

    def _live(self, number: int) -> LiveAudio | None:
        stream = self._streams.get(number)
        return stream.source if stream and isinstance(stream.source, LiveAudio) else None

    def _hear(self, number: int, stream: _Stream) -> None:
        """Give a stream's audio to its recognition, unless too much waits there already."""
        try:
            for samples in self._audio(stream):
                stream.recognition.push(samples)
        except RecordingError as exc:
            self._say(Unreadable(number, str(exc)))
            self._forget(number)
            return
        if stream.source.is_over and not stream.finished:
            stream.recognition.finish()
            stream.finished = True
        self._tell_progress(number, stream)

    def _audio(self, stream: _Stream) -> Iterator[Samples]:
        """Yield what a stream has at present, as long as its recognition can take it."""
        for _ in range(BLOCKS_AT_ONCE if stream.source.is_file else sys.maxsize):
            if stream.recognition.waiting_s >= MAX_WAITING_S:
                return
            if (samples := stream.source.take()) is None:
                return
            yield samples

    def _tell_progress(self, number: int, stream: _Stream, *, is_done: bool = False) -> None:
        """Say how far a file is: at most some times a second, and at its end."""
        source, now = stream.source, self._clock()
        if not isinstance(source, FileAudio):
            return
        if not is_done and now - stream.shown_at < PROGRESS_EVERY_S:
            return
        heard_s = source.taken_s - stream.recognition.waiting_s
        stream.shown_s = max(stream.shown_s, source.from_s, heard_s)
        stream.shown_at = now
        total_s = source.taken_s if source.is_over else source.total_s
        self._say(Progress(number, round(stream.shown_s, 3), round(total_s, 3)))

    def _choose(self) -> int | None:
        """Return whose turn it is: people who speak come first, then files, each in its turn."""
        wants: dict[int, Want] = {}
        files = []
        for number, stream in self._streams.items():
            want = stream.recognition.wants()
            if stream.source.is_file:
                if want and want.is_final:
                    files.append(number)
            elif want and (want.is_final or not stream.source.is_recording):
                wants[number] = want
            elif not stream.recognition.is_speaking:
                self._scheduler.fell_silent(number)
        chosen = self._scheduler.choose(wants)
        if chosen is None and files:
            return min(files, key=lambda number: self._streams[number].turn)
        return chosen

    def _run(self, number: int, stream: _Stream) -> None:
        started = self._busy_since = self._clock()
        self._tell(number, stream, stream.recognition.run())
        self._busy_since = None
        if stream.source.is_file:
            self._passes += 1
            stream.turn = self._passes
        else:
            self._scheduler.ran(number, self._clock() - started)

    def _tell(self, number: int, stream: _Stream, events: list[SttEvent]) -> None:
        from_s = stream.source.from_s if isinstance(stream.source, FileAudio) else 0.0
        for event in events:
            match event:
                case Word(text=text, start=start, end=end, joined=joined):
                    first, last = from_s + (start or 0.0), from_s + (end or 0.0)
                    self._say(Spoken(number, text, round(first, 3), round(last, 3), joined))
                case Tentative(text=text):
                    self._say(Maybe(number, text))
                case Pause():
                    self._say(Paused(number))

    def _forget(self, number: int) -> None:
        if stream := self._streams.pop(number, None):
            stream.source.close()
        self._scheduler.fell_silent(number)
