"""Tests of `livebot.rooms.watchdog`; what follows from it is in `test_reception.py`."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.hearing.figures import MediaState
from livebot.rooms.watchdog import (
    ASK_LOST_S,
    ASK_SILENT_S,
    MOST_S,
    PATH_DEAD_S,
    PATH_LOST_S,
    SILENT_S,
    Watchdog,
)

LOOK_S = 0.5


@given(st.lists(st.floats(0, SILENT_S, exclude_max=True), min_size=1, max_size=100))
def test_audio_that_comes_however_rarely_is_no_reason_to_ask(ages: list[float]) -> None:
    """Somebody muted is received, as of the first look."""
    dog = Watchdog()
    for number, age in enumerate(ages):
        assert dog.look(number * LOOK_S, age, 0.0) is MediaState.RECEIVING
        assert not dog.asks(number * LOOK_S)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 60),
            st.sampled_from([0.0, 1.0, 3.0, 30.0, inf]),
            st.sampled_from([0.0, 3.0, 6.0, 30.0, inf]),
            st.booleans(),
        ),
        max_size=100,
    )
)
def test_requests_get_rarer_until_audio_is_back_for_good(
    looks: list[tuple[float, float, float, bool]],
) -> None:
    """However connections come and go: at most one in 20 s, and ever fewer while it stays bad."""
    dog, now, asked = Watchdog(), 0.0, list[float]()
    for passed, audio_age_s, behind_s, is_new in looks:
        now += passed
        if is_new:
            dog.restart(now)
        path_age_s = max(0.0, audio_age_s - behind_s) if audio_age_s < inf else behind_s
        dog.look(now, audio_age_s, path_age_s)
        if dog.is_steady(now):
            asked.clear()
        if dog.asks(now):
            wait_s = min(20.0 * 2 ** (len(asked) - 1), MOST_S)
            assert not asked or now - asked[-1] >= wait_s - 1e-6
            asked.append(now)


@pytest.mark.parametrize(
    ("audio_age_s", "path_age_s", "state"),
    [
        (PATH_LOST_S + 1, PATH_LOST_S, MediaState.LOST),
        (PATH_LOST_S, PATH_LOST_S - 0.1, MediaState.SILENT),
        (100.0, PATH_LOST_S, MediaState.SILENT),
        (100.0, PATH_DEAD_S, MediaState.LOST),
        (inf, PATH_LOST_S, MediaState.SILENT),
        (inf, PATH_DEAD_S, MediaState.LOST),
        (inf, inf, MediaState.LOST),
        (inf, 1.0, MediaState.SILENT),
        (0.1, 0.1, MediaState.RECEIVING),
    ],
)
def test_a_dead_path_is_told_from_silence(
    audio_age_s: float, path_age_s: float, state: MediaState
) -> None:
    """By what came last: while audio flowed, less patience is needed."""
    dog = Watchdog()
    dog.look(0.0, 0.0, 0.0)

    assert dog.look(200.0, audio_age_s, path_age_s) is state


def test_a_new_connection_is_given_its_time() -> None:
    """It is as old as it is connected, not as old as the audio before it."""
    dog = Watchdog()
    dog.restart(0.0)

    assert dog.look(100.0, inf, inf) is MediaState.CONNECTING
    assert dog.look(100.0 + SILENT_S, inf, 1.0) is MediaState.SILENT
    assert not dog.asks(100.0 + SILENT_S)
    dog.look(100.0 + ASK_SILENT_S, inf, 1.0)
    assert dog.asks(100.0 + ASK_SILENT_S)


def test_a_path_that_heals_is_given_time_for_audio() -> None:
    """The first packet on it may be a report; until there is audio or none, nothing changes."""
    dog = Watchdog()
    dog.look(0.0, 0.0, 0.0)
    dog.look(12.0, 12.0, 12.0)

    assert dog.look(12.5, 12.5, 0.1) is MediaState.LOST
    assert dog.alive_since == 12.5
    assert not dog.asks(12.5 + ASK_LOST_S)
    assert dog.look(12.5 + SILENT_S, 14.5, 0.1) is MediaState.SILENT
