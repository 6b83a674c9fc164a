"""The worker's answers, with a scripted model instead of the real one."""

import wave
from collections.abc import Callable, Mapping
from pathlib import Path

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
    Language,
    Open,
    Paused,
    Ping,
    Pong,
    Progress,
    Read,
    Spoken,
    Taken,
    ToWorker,
    Unreadable,
)
from livebot.stt.host.serving import MAX_WAITING_S, Worker
from livebot.stt.model import RATE_HZ as MODEL_HZ
from livebot.stt.model import Detected
from tests.unit.stt.local.scripted import ScriptedHeard, voice


def one_word(_: Samples) -> ScriptedHeard:
    """Hear one word, whatever is said."""
    return ScriptedHeard(np.full(4096, 1 / 1024, np.float32), whole=1)


class Scripted:
    """A model that hears what it is told to, in French."""

    languages: Mapping[str, str] = {"en": "English", "fr": "French"}

    def __init__(self, hear: Callable[[Samples], ScriptedHeard] = one_word) -> None:
        self._hear = hear
        self.asked: list[str] = []

    translates = True

    def listen(self, samples: Samples, *, language: str, translate: bool = False) -> ScriptedHeard:
        """Hear a piece of audio."""
        self.asked.append(f"{language} in English" if translate else language)
        return self._hear(samples)

    def detect(self, samples: Samples) -> Detected:
        """Take the first second for English, and more for French."""
        is_short = len(samples) < 2 * MODEL_HZ
        return Detected("en", 0.5) if is_short else Detected("fr", 0.9)


class Desk:
    """A worker and what it says."""

    def __init__(self) -> None:
        self.said: list[FromWorker] = []
        self.now = 0.0
        self.model = Scripted()
        self.worker = Worker(self.model, lambda: voice, self.said.append, lambda: self.now)

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
        desk.tell(Open(stream, "en"))
        desk.speak(stream, sound(1))
        desk.tell(Finish(stream))
    desk.settle()

    for stream in streams:
        kinds = [type(m) for m in desk.said if getattr(m, "stream", None) == stream]
        assert kinds == [Taken, Spoken, Paused, Done]


def test_silence_is_finished_without_words() -> None:
    """Nothing was said, and the stream ends all the same."""
    desk = Desk()
    desk.tell(Open(1, "en"))
    desk.speak(1, silence(RATE_HZ))
    desk.tell(Finish(1))
    desk.settle()

    assert [type(m) for m in desk.said] == [Taken, Done]


def test_taken_audio_is_acknowledged_to_the_byte() -> None:
    """The parent counts on it."""
    desk = Desk()
    desk.tell(Open(1, "en"))
    for count in (1, 4800, 33):
        desk.speak(1, sound(count / RATE_HZ))
    desk.settle()

    taken = sum(m.bytes_taken for m in desk.said if isinstance(m, Taken))
    assert taken == 4 * (1 + 4800 + 33)


def test_audio_waits_while_the_model_is_far_behind() -> None:
    """Memory is bounded: what the model has no time for stays with the sender."""
    desk = Desk()
    desk.tell(Open(1, "en"))
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
    desk.tell(Open(1, "en"))
    desk.speak(1, sound(1))
    desk.tell(Close(1))
    desk.speak(1, sound(1))
    desk.tell(Finish(1))
    desk.settle()

    assert desk.said == []


def test_words_come_while_somebody_speaks_in_time() -> None:
    """Two passes that agree give words out before the speaker pauses."""
    desk = Desk()
    desk.tell(Open(1, "en"))
    for _ in range(10):
        desk.now += 0.2
        desk.speak(1, sound(0.2))
        desk.settle()

    # One word alone is held back until the end, but shown.
    assert any(isinstance(m, messages.Maybe) for m in desk.said)


def test_a_recording_is_heard_piece_by_piece() -> None:
    """Audio faster than speech gets no passes in between."""
    desk = Desk()
    desk.tell(Open(1, "en"))
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

    worker = Worker(Scripted(listen), lambda: voice, said.append, lambda: next(clock))
    payload = sound(1).astype("<f4").tobytes()
    worker.receive(messages.to_frame(Open(1, "en")))
    worker.receive(messages.to_frame(Audio(1, len(payload)), payload))
    worker.receive(messages.to_frame(Finish(1)))
    while worker.work():
        pass

    assert pings == [True] * len(pings) != []
    assert all(m.busy_s > 0 for m in said if isinstance(m, Pong))
    assert worker.busy_s == 0
    assert not worker.answer(messages.to_frame(Open(2, "en")))


def test_half_a_sample_is_refused() -> None:
    """With the error of framing."""
    desk = Desk()
    desk.tell(Open(1, "en"))

    with pytest.raises(FramingError):
        desk.worker.receive(Frame(b'{"type":"audio","stream":1,"bytes":3}', b"abc"))


def write_speech(path: Path, seconds: float, utterances: int = 1) -> Path:
    """Write so many stretches of what the scripted detector takes for speech, with pauses."""
    stretch = np.concatenate([sound(seconds), silence(RATE_HZ)])
    samples = (np.tile(stretch, utterances) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    """Each utterance once, with times of the file; progress never goes back; then it is done."""
    desk = Desk()
    desk.tell(Read(1, str(write_speech(tmp_path / "a.wav", 4, 30)), "en"))
    while desk.worker.work():
        desk.now += 0.1

    spoken = [m for m in desk.said if isinstance(m, Spoken)]
    assert len(spoken) == 30
    assert [round(m.start / 5) for m in spoken] == list(range(30))
    heard = [m.heard_s for m in desk.said if isinstance(m, Progress)]
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(150, abs=0.1)
    assert len(heard) > 5
    assert isinstance(desk.said[-1], Done)
    assert not desk.worker.work()


def test_a_file_may_be_read_from_the_middle(tmp_path: Path) -> None:
    """Nothing of what lies before, and times of the whole file."""
    desk = Desk()
    path = str(write_speech(tmp_path / "a.wav", 4, 4))
    desk.tell(Read(1, path, "en", from_s=9.5))
    desk.settle()

    starts = [m.start for m in desk.said if isinstance(m, Spoken)]
    assert len(starts) == 2
    assert starts == pytest.approx([9.5, 14.5], abs=0.7)


def test_a_file_that_cannot_be_read_ends_its_stream_alone(tmp_path: Path) -> None:
    """The others go on."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound")
    desk = Desk()
    desk.tell(Read(1, str(path), "en"))
    desk.tell(Read(2, str(tmp_path / "none.wav"), "en"))
    desk.tell(Read(3, str(write_speech(tmp_path / "b.wav", 2)), "en"))
    desk.settle()

    assert sorted(m.stream for m in desk.said if isinstance(m, Unreadable)) == [1, 2]
    assert [m.stream for m in desk.said if isinstance(m, Done)] == [3]


def test_files_take_turns_and_people_come_first(tmp_path: Path) -> None:
    """A short file is not held up by a long one, nor is somebody who speaks by either."""
    desk = Desk()
    desk.tell(Read(1, str(write_speech(tmp_path / "a.wav", 4, 20)), "en"))
    desk.tell(Read(2, str(write_speech(tmp_path / "b.wav", 4, 2)), "en"))
    desk.worker.work()
    desk.tell(Open(3, "en"))
    desk.speak(3, sound(1))
    desk.tell(Finish(3))
    desk.settle()

    spoken = [m.stream for m in desk.said if isinstance(m, Spoken)]
    assert spoken.index(3) <= 1
    assert spoken[:7].count(2) == 2


def test_a_file_that_is_closed_is_forgotten_at_once(tmp_path: Path) -> None:
    """So that whoever cancels it does not wait."""
    desk = Desk()
    desk.tell(Read(1, str(write_speech(tmp_path / "a.wav", 4, 100)), "en"))
    desk.worker.work()
    desk.tell(Close(1))

    assert not desk.worker.work()
    assert not any(isinstance(m, Done) for m in desk.said)


def test_the_language_is_found_out_by_enough_speech() -> None:
    """Of a short beginning the model may be wrong: a later utterance tells better, once."""
    desk = Desk()
    desk.tell(Open(1, "auto"))
    for seconds in (0.8, 4, 0.8):
        desk.speak(1, np.concatenate([sound(seconds), silence(RATE_HZ)]))
    desk.tell(Finish(1))
    desk.settle()

    assert [m for m in desk.said if isinstance(m, Language)] == [
        Language(1, "en", 0.5),
        Language(1, "fr", 0.9),
    ]
    assert desk.model.asked == ["en", "fr", "fr"]


def test_a_file_may_be_written_down_in_english(tmp_path: Path) -> None:
    """The model is told so for each of its pieces, and for no other stream's."""
    desk = Desk()
    path = str(write_speech(tmp_path / "a.wav", 2, 2))
    desk.tell(Read(1, path, "fr", translate=True))
    desk.settle()
    desk.tell(Read(2, path, "fr"))
    desk.settle()

    assert desk.model.asked == ["fr in English"] * 2 + ["fr"] * 2
