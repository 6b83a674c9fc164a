"""Tests of `livebot.stt.stall`."""

import math

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.stall import (
    FLOOR_S,
    MIN_SPEECH_S,
    MOST_PATIENCE_S,
    PATIENCE_S,
    SPEECH_DBFS,
    SpeechDetector,
    StallWatch,
)

STEP_S = 0.2


@given(st.floats(-120, 0), st.floats(-8, 8))
def test_steady_noise_is_no_speech(level: float, wobble: float) -> None:
    """A fan is not taken for a person, however loud, once it was heard for a while."""
    detector = SpeechDetector()
    found = [detector.feed(level + wobble * (n % 2), STEP_S) for n in range(200)]

    assert not any(found[math.ceil(FLOOR_S / STEP_S) + 1 :])


@given(st.floats(-30, -1), st.integers(1, 25))
def test_what_stands_out_of_the_noise_may_be_speech(level: float, pause_every: int) -> None:
    """Syllables between short pauses are found, every one; the pauses once they are known."""
    detector = SpeechDetector()
    levels = [level - 40 if n % (pause_every + 1) == 0 else level for n in range(200)]

    found = [detector.feed(each, STEP_S) for each in levels]
    assert all(is_speech for is_speech, each in zip(found, levels, strict=True) if each == level)
    known = math.ceil(FLOOR_S / STEP_S) + 1
    assert found[known:] == [each == level for each in levels[known:]]


@given(st.lists(st.floats(-120, SPEECH_DBFS)))
def test_what_is_hardly_audible_never_is(levels: list[float]) -> None:
    """Silence asks for no words."""
    detector = SpeechDetector()

    assert not any(detector.feed(level, STEP_S) for level in levels)


def talk(watch: StallWatch, start: float, seconds: float) -> float | None:
    """Talk in real time; return when the stream was found to be deaf."""
    for n in range(round(seconds / STEP_S)):
        watch.sent(STEP_S, start + n * STEP_S)
        if watch.is_stalled(start + n * STEP_S):
            return start + n * STEP_S
    return None


def test_speech_without_words_is_a_stall() -> None:
    """It is found when the patience is over, and not before."""
    found = talk(StallWatch(), 100.0, 60.0)

    assert found is not None
    assert PATIENCE_S <= found - 100.0 <= PATIENCE_S + STEP_S


def test_a_short_sound_is_none() -> None:
    """A cough asks for no words."""
    watch = StallWatch()
    talk(watch, 0.0, MIN_SPEECH_S - STEP_S)

    assert not watch.is_stalled(1000.0)


@given(st.lists(st.floats(0.2, 9.0), min_size=1, max_size=20))
def test_words_keep_a_stream(gaps: list[float]) -> None:
    """Whoever is understood now and then is not interrupted."""
    watch, now = StallWatch(), 0.0
    for gap in gaps:
        assert talk(watch, now, gap) is None
        now += gap
        watch.heard()


def test_patience_grows_up_to_what_is_kept_for_the_next_stream() -> None:
    """Noise that no engine understands costs less and less; one word ends that."""
    watch = StallWatch()
    patiences = []
    for _ in range(5):
        patiences.append(watch.patience_s)
        watch.gave_up()
    watch.heard()

    assert patiences == [10, 20, MOST_PATIENCE_S, MOST_PATIENCE_S, MOST_PATIENCE_S]
    assert watch.patience_s == PATIENCE_S


@given(st.floats(0, 100))
def test_an_engine_that_is_late_is_given_more_time(lag_s: float) -> None:
    """It is busy, not deaf; but what it may swallow is still kept for the next stream."""
    watch = StallWatch()
    watch.heard(lag_s)

    assert watch.patience_s == min(PATIENCE_S + 2 * lag_s, MOST_PATIENCE_S)
    watch.heard()
    assert watch.patience_s == min(PATIENCE_S + 2 * lag_s, MOST_PATIENCE_S)
    watch.heard(-1.0)
    assert watch.patience_s == PATIENCE_S
