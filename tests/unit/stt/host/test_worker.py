"""The worker's answers, with a scripted model instead of the real one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, Samples, silence
from livebot.stt.host import messages
from livebot.stt.host.framing import Frame, FramingError
from livebot.stt.host.messages import (
    Audio,
    Close,
    Done,
    Finish,
    FromWorker,
    Open,
    Paused,
    Ping,
    Pong,
    Spoken,
    Taken,
    ToWorker,
)
from livebot.stt.host.worker import MAX_WAITING_S, Worker
from livebot.stt.local.streaming import SpeechStream
from tests.unit.stt.local.scripted import ScriptedHeard, voice


def one_word(_: Samples) -> ScriptedHeard:
    """Hear one word, whatever is said."""
    return ScriptedHeard(np.full(4096, 1 / 1024, np.float32), whole=1)


class Desk:
    """A worker and what it says."""

    def __init__(self) -> None:
        self.said: list[FromWorker] = []
        self.now = 0.0
        self.worker = Worker(
            lambda: SpeechStream(one_word, voice), self.said.append, lambda: self.now
        )

    def tell(self, message: ToWorker, payload: bytes = b"") -> None:
        """Say something to it."""
        self.worker.receive(messages.to_frame(message, payload))

    def speak(self, stream: int, samples: Samples) -> None:
        """Send it audio."""
        payload = samples.astype("<f4").tobytes()
        self.tell(Audio(stream, len(payload)), payload)

    def settle(self) -> None:
        """Let it work until there is nothing to do."""
        while self.worker.work():
            pass


def sound(seconds: float) -> Samples:
    """Return something that the scripted voice detector takes for speech."""
    return np.full(int(seconds * RATE_HZ), 0.5, np.float32)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
def test_each_stream_is_finished_on_its_own(streams: list[int]) -> None:
    """Word, pause and done, in this order, once for each stream."""
    desk = Desk()
    for stream in streams:
        desk.tell(Open(stream))
        desk.speak(stream, sound(1))
        desk.tell(Finish(stream))
    desk.settle()

    for stream in streams:
        kinds = [type(m) for m in desk.said if getattr(m, "stream", None) == stream]
        assert kinds == [Taken, Spoken, Paused, Done]


def test_silence_is_finished_without_words() -> None:
    """Nothing was said, and the stream ends all the same."""
    desk = Desk()
    desk.tell(Open(1))
    desk.speak(1, silence(RATE_HZ))
    desk.tell(Finish(1))
    desk.settle()

    assert [type(m) for m in desk.said] == [Taken, Done]


def test_taken_audio_is_acknowledged_to_the_byte() -> None:
    """The parent counts on it."""
    desk = Desk()
    desk.tell(Open(1))
    for count in (1, 4800, 33):
        desk.speak(1, sound(count / RATE_HZ))
    desk.settle()

    taken = sum(m.bytes_taken for m in desk.said if isinstance(m, Taken))
    assert taken == 4 * (1 + 4800 + 33)


def test_audio_waits_while_the_model_is_far_behind() -> None:
    """Memory is bounded: what the model has no time for stays with the sender."""
    desk = Desk()
    desk.tell(Open(1))
    for _ in range(40):
        desk.speak(1, np.concatenate([sound(4), silence(RATE_HZ)]))
    desk.worker.work()

    taken_s = sum(m.bytes_taken for m in desk.said if isinstance(m, Taken)) / 4 / RATE_HZ
    assert MAX_WAITING_S <= taken_s <= MAX_WAITING_S * 1.4

    desk.settle()
    assert sum(m.bytes_taken for m in desk.said if isinstance(m, Taken)) == 40 * 5 * 4 * RATE_HZ


def test_a_closed_stream_says_nothing_any_more() -> None:
    """Nor does audio for it, which may still be under way, do any harm."""
    desk = Desk()
    desk.tell(Open(1))
    desk.speak(1, sound(1))
    desk.tell(Close(1))
    desk.speak(1, sound(1))
    desk.tell(Finish(1))
    desk.settle()

    assert desk.said == []


def test_words_come_while_somebody_speaks_in_time() -> None:
    """Two passes that agree give words out before the speaker pauses."""
    desk = Desk()
    desk.tell(Open(1))
    for _ in range(10):
        desk.now += 0.2
        desk.speak(1, sound(0.2))
        desk.settle()

    # One word alone is held back until the end, but shown.
    assert any(isinstance(m, messages.Maybe) for m in desk.said)


def test_a_recording_is_heard_piece_by_piece() -> None:
    """Audio faster than speech gets no passes in between."""
    desk = Desk()
    desk.tell(Open(1))
    for _ in range(100):
        desk.speak(1, sound(0.2))
    desk.settle()

    assert {type(m) for m in desk.said} == {Taken}


def test_ping_is_answered() -> None:
    """So the parent knows that it lives."""
    desk = Desk()
    desk.tell(Ping())

    assert desk.said == [Pong()]


def test_ping_is_answered_while_the_model_works() -> None:
    """By another thread, and it tells for how long: busy is not dead."""
    said: list[FromWorker] = []
    clock = iter(range(1000))
    pings: list[bool] = []

    def listen(samples: Samples) -> ScriptedHeard:
        pings.append(worker.answer(messages.to_frame(Ping())))
        return one_word(samples)

    worker = Worker(lambda: SpeechStream(listen, voice), said.append, lambda: next(clock))
    payload = sound(1).astype("<f4").tobytes()
    worker.receive(messages.to_frame(Open(1)))
    worker.receive(messages.to_frame(Audio(1, len(payload)), payload))
    worker.receive(messages.to_frame(Finish(1)))
    while worker.work():
        pass

    assert pings == [True] * len(pings) != []
    assert all(m.busy_s > 0 for m in said if isinstance(m, Pong))
    assert worker.busy_s == 0
    assert not worker.answer(messages.to_frame(Open(2)))


def test_half_a_sample_is_refused() -> None:
    """With the error of framing."""
    desk = Desk()
    desk.tell(Open(1))

    with pytest.raises(FramingError):
        desk.worker.receive(Frame(b'{"type":"audio","stream":1,"bytes":3}', b"abc"))
