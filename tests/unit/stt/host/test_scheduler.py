"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.host.scheduler import (
    AHEAD_S,
    INTERIM_SHARE,
    INTERVAL_S,
    Pace,
    Scheduler,
)
from livebot.stt.local.streaming import Want


def want(age_s: float, *, final: bool = False, settled: bool = False) -> Want:
    """Return what a stream wants."""
    return Want(is_final=final, is_settled=settled or final, age_s=age_s)


WANTS = st.dictionaries(
    st.integers(0, 9),
    st.builds(want, st.floats(0, 60), final=st.booleans(), settled=st.booleans()),
)


@given(WANTS)
def test_last_words_come_first(wants: dict[int, Want]) -> None:
    """No interim pass while an utterance that is over waits, and the oldest of them first."""
    chosen = Scheduler().choose(wants)

    finals = [w for w in wants.values() if w.is_final]
    if finals:
        assert chosen is not None
        assert wants[chosen].is_final
        assert wants[chosen].age_s == max(w.age_s for w in finals)


@given(WANTS)
def test_nothing_due_is_left_undone(wants: dict[int, Want]) -> None:
    """Somebody is chosen exactly when somebody is due."""
    due = [w for w in wants.values() if w.is_settled or w.age_s >= INTERVAL_S]

    assert (Scheduler().choose(wants) is not None) == bool(due)


def test_the_one_who_waited_longest_is_next() -> None:
    """Among growing utterances age decides."""
    assert Scheduler().choose({1: want(0.5), 2: want(0.9), 3: want(0.6)}) == 2


@given(st.lists(st.floats(0.001, 2.0), min_size=1, max_size=30))
def test_intervals_stretch_so_that_the_core_suffices(costs: list[float]) -> None:
    """However many speak and however long it takes, interims use their share and no more."""
    scheduler = Scheduler()
    for stream, cost_s in enumerate(costs):
        scheduler.ran(stream, cost_s)

    load = sum(cost_s / scheduler.interval_s(stream) for stream, cost_s in enumerate(costs))

    assert load <= INTERIM_SHARE + 1e-6
    assert all(scheduler.interval_s(stream) >= INTERVAL_S for stream in range(len(costs)))


def test_who_falls_silent_leaves_the_others_more() -> None:
    """The interval shrinks again."""
    scheduler = Scheduler()
    for stream in range(4):
        scheduler.ran(stream, 0.3)
    crowded = scheduler.interval_s(0)
    for stream in (1, 2, 3):
        scheduler.fell_silent(stream)

    assert scheduler.interval_s(0) < crowded


def test_a_file_is_not_a_speaker() -> None:
    """Audio that comes at once is a recording; audio in time is not, however long it lasts."""
    file, speaker = Pace(), Pace()
    for number in range(600):
        file.feed(0.2, now=number * 0.001)
        speaker.feed(0.2, now=number * 0.2)

    assert file.is_recording
    assert not speaker.is_recording


def test_what_was_said_while_the_stream_was_opened_is_forgiven() -> None:
    """A burst at the start does not make a speaker a recording for ever."""
    pace = Pace()
    pace.feed(AHEAD_S + 2.0, now=0.0)
    assert pace.is_recording

    for number in range(1, 60):
        pace.feed(0.2, now=number * 0.2)

    assert not pace.is_recording
