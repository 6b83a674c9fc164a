"""Tests of `livebot.stt.lease`."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.lease import (
    HOLD_S,
    OPEN_DBFS,
    PAUSE_S,
    SWITCH_WITHIN_S,
    SpeechGate,
    is_switch_due,
)

CHUNKS = st.lists(st.tuples(st.floats(-120, 0), st.floats(0.02, 1.0)))


@given(CHUNKS)
def test_sound_always_opens_the_gate(chunks: list[tuple[float, float]]) -> None:
    """After a loud chunk it is open, whatever was before."""
    gate = SpeechGate()
    for level, seconds in chunks:
        assert gate.feed(level, seconds) or level <= OPEN_DBFS


@given(CHUNKS, st.floats(0.02, 1.0))
def test_silence_closes_it_after_the_hold_and_not_before(
    chunks: list[tuple[float, float]], step: float
) -> None:
    """However the silence is cut."""
    gate = SpeechGate()
    for level, seconds in [*chunks, (0.0, step)]:
        gate.feed(level, seconds)
    silent = 0.0
    while gate.is_open:
        gate.feed(-120.0, step)
        silent += step

    assert HOLD_S - 1e-6 <= silent <= HOLD_S + step + 1e-6


@given(st.floats(0, 10), st.floats(0, 10))
def test_a_language_changes_at_a_pause_and_else_soon(asked_s: float, quiet_s: float) -> None:
    """In the middle of a word only where nobody pauses."""
    is_due = is_switch_due(asked_s, quiet_s)

    assert is_due or (asked_s < SWITCH_WITHIN_S and quiet_s < PAUSE_S)
    assert not is_due or asked_s >= SWITCH_WITHIN_S or quiet_s >= PAUSE_S
