"""moshi-server's msgpack, and the pauses in its steps."""

import numpy as np
import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt import moshi_wire
from livebot.stt.moshi_wire import (
    Failed,
    Marked,
    Message,
    PauseDetector,
    Ready,
    Step,
    WordEnded,
    WordStarted,
)

SAMPLES = arrays(np.float32, st.integers(1, 50), elements=st.floats(-1, 1, width=32))
DELAY = 7


def decode(**message: object) -> Message | None:
    """Return what a message says."""
    return moshi_wire.decode(ormsgpack.packb(message))


@given(SAMPLES)
def test_audio_is_a_map_of_floats(samples: Samples) -> None:
    """The server reads a tag and a list, here of single precision: five bytes a sample."""
    data = moshi_wire.encode_audio(samples)

    assert ormsgpack.unpackb(data) == {"type": "Audio", "pcm": samples.tolist()}
    assert len(data) < 5 * len(samples) + 20


def test_a_part_of_a_larger_array_is_audio() -> None:
    """Slices are written as well, wherever they begin."""
    data = moshi_wire.encode_audio(np.arange(10, dtype=np.float32)[3:5])

    assert ormsgpack.unpackb(data)["pcm"] == [3.0, 4.0]


def test_marker_is_a_map() -> None:
    """The server reads a tag and a number."""
    assert ormsgpack.unpackb(moshi_wire.encode_marker(7)) == {"type": "Marker", "id": 7}


def test_all_messages_are_understood() -> None:
    """The six, as the server writes them."""
    assert decode(type="Ready") == Ready()
    assert decode(type="Word", text="hello", start_time=1.2) == WordStarted("hello", 1.2)
    assert decode(type="EndWord", stop_time=1) == WordEnded(1.0)
    assert decode(type="Step", step_idx=8, prs=[0.5, 1], buffered_pcm=960) == Step((0.5, 1.0), 960)
    assert decode(type="Marker", id=0) == Marked(0)
    assert decode(type="Error", message="no free channels") == Failed("no free channels")


def test_types_of_tomorrow_are_ignored() -> None:
    """A newer server's messages are no faults."""
    assert decode(type="Partial", text="x") is None


def test_only_full_servers_are_busy() -> None:
    """Other errors are not cured by waiting for a channel."""
    assert Failed("no free channels").is_busy
    assert not Failed("device lost").is_busy


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": 5},
        {"type": "Word"},
        {"type": "Word", "text": 1, "start_time": 0.0},
        {"type": "Word", "text": "x", "start_time": "0"},
        {"type": "Word", "text": "x", "start_time": float("nan")},
        {"type": "EndWord", "stop_time": float("inf")},
        {"type": "Step", "prs": ["x"]},
        {"type": "Step", "prs": [0.0, 0.0, float("nan"), 0.0]},
        {"type": "Step", "prs": [], "buffered_pcm": "x"},
        {"type": "Marker", "id": "x"},
    ],
)
def test_wrong_fields_are_an_engine_error(message: dict[str, object]) -> None:
    """A known type with wrong fields has one documented fault."""
    with pytest.raises(EngineError):
        decode(**message)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.floats() | st.text(max_size=1), max_size=4)
)
KEYS = ["type", "text", "start_time", "stop_time", "prs", "buffered_pcm", "id", "message"]
TYPES = st.sampled_from(["Ready", "Word", "EndWord", "Step", "Marker", "Error", "New"])
GARBAGE = st.dictionaries(st.sampled_from(KEYS), VALUES).flatmap(
    lambda fields: (TYPES | VALUES).map(lambda kind: {**fields, "type": kind})
)


@given(GARBAGE.map(ormsgpack.packb) | st.binary(max_size=30))
def test_whatever_comes_only_engine_errors_leave(data: bytes) -> None:
    """Right keys with wrong values included."""
    try:
        message = moshi_wire.decode(data)
    except EngineError:
        return
    if isinstance(message, WordStarted):
        assert np.isfinite(message.start_s)


def run(detector: PauseDetector, *levels: float) -> list[int]:
    """Feed steps with this probability of a pause; return at which ones a pause was told."""
    return [i for i, p in enumerate(levels) if detector.step((0.0, 0.0, p, 0.0))]


def test_pause_is_told_once_after_the_delay() -> None:
    """Two high steps and the model's delay later, and not again however long it lasts."""
    detector = PauseDetector(DELAY)
    detector.word()

    told = run(detector, *[0.0] * 20, *[0.9] * 100)

    assert told == [20 + 1 + DELAY]


def test_words_in_the_delay_belong_before_the_pause() -> None:
    """The words come later than the steps that judge the same audio."""
    detector = PauseDetector(DELAY)

    assert run(detector, *[0.0] * 20, *[0.9] * 5) == []
    detector.word()
    assert run(detector, *[0.9] * 10) == [3]


def test_no_pause_without_words() -> None:
    """Silence after silence ends nothing."""
    assert run(PauseDetector(DELAY), *[0.9] * 100) == []


def test_next_words_make_the_next_pause() -> None:
    """Each pause needs words of its own."""
    detector = PauseDetector(DELAY)
    detector.word()

    assert len(run(detector, *[0.0] * 20, *[0.9] * 20, *[0.0] * 20)) == 1
    detector.word()
    assert len(run(detector, *[0.0] * 20, *[0.9] * 20)) == 1


def test_first_steps_are_not_believed() -> None:
    """The heads say nonsense before they have heard anything."""
    detector = PauseDetector(DELAY)
    detector.word()

    assert run(detector, *[1.0] * moshi_wire.WARM_UP_STEPS, *[0.0] * 50) == []


def test_single_high_step_is_no_pause() -> None:
    """A short doubt within a sentence, or one that is taken back, ends nothing."""
    detector = PauseDetector(DELAY)
    detector.word()

    assert run(detector, *[0.0] * 20, *([1.0] + [0.0] * 5) * 10, *[0.9] * 6, *[0.0] * 20) == []


def test_model_without_heads_has_no_pauses() -> None:
    """Steps without probabilities are no fault."""
    detector = PauseDetector(DELAY)
    detector.word()

    assert not any(detector.step(()) for _ in range(100))
