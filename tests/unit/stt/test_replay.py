"""Tests of `livebot.stt.replay`."""

from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, silence
from livebot.audio.pipeline import Chunk
from livebot.stt.replay import LAG_S, MARGIN_S, MOST_FORGOTTEN, PACE, Piece, Replay

CHUNK_S = 0.2
LIMIT_S = 30.0


def piece(start: float, *, is_sound: bool = True) -> Piece:
    """Return 200 ms that begin at `start`."""
    return Piece(Chunk(silence(round(CHUNK_S * RATE_HZ)), start), is_sound, is_sound)


def spoken(seconds: float, *, limit_s: float = LIMIT_S) -> Replay:
    """Return a replay that was sent so many seconds in real time, from 0."""
    replay = Replay(limit_s)
    for number in range(round(seconds / CHUNK_S)):
        replay.sent(piece(number * CHUNK_S), now=(number + 1) * CHUNK_S)
    return replay


@given(st.lists(st.floats(0, 20), max_size=20))
def test_nothing_after_the_last_timed_word_is_ever_given_up(ends: list[float]) -> None:
    """Whatever words come in whatever order, what follows the last one is sent again."""
    replay = spoken(20)
    for end in ends:
        replay.answered(end, now=20)
    again = replay.take_back()

    first = max([end - MARGIN_S for end in ends], default=0.0)
    assert again[0].chunk.start <= max(first, 0.0) + 1e-6
    assert again[-1].chunk.end >= 20 - 1e-6
    assert not replay.forget()


@given(st.floats(0, 20))
def test_what_a_timed_word_answers_is_not_sent_again(end: float) -> None:
    """Beyond the onset of the next word, nothing is."""
    replay = spoken(20)
    replay.answered(end, now=20)

    assert replay.take_back()[0].chunk.end > end - MARGIN_S


def test_a_word_without_times_answers_what_was_sent_long_before() -> None:
    """Sent in real time, all but the last seconds are answered."""
    replay = spoken(20)
    replay.answered(None, now=20)

    assert 20 - LAG_S - 2 * CHUNK_S <= replay.take_back()[0].chunk.start <= 20 - LAG_S


def test_a_burst_is_not_answered_by_its_first_words() -> None:
    """A minute sent at once takes its time, and is kept meanwhile."""
    replay = Replay(60)
    for number in range(300):
        replay.sent(piece(number * CHUNK_S), now=0.0)
    replay.answered(None, now=10 + LAG_S)

    assert abs(replay.take_back()[0].chunk.start - 10 * PACE) <= 2 * CHUNK_S


@given(st.floats(1, 100), st.floats(1, 30))
def test_it_is_bounded_and_says_what_it_forgets(seconds: float, limit_s: float) -> None:
    """What was sent is kept or named as forgotten, and no more is kept than allowed."""
    replay = spoken(seconds, limit_s=limit_s)

    assert replay.seconds <= limit_s + 1e-6
    forgotten = [each.chunk.start for each in replay.forget()]
    kept = [each.chunk.start for each in replay.take_back()]
    assert forgotten + kept == [n * CHUNK_S for n in range(round(seconds / CHUNK_S))]


def test_a_word_means_that_nothing_before_it_is_lost() -> None:
    """An engine that answers has heard what had to be forgotten."""
    replay = spoken(40)
    replay.answered(39.0, now=40)

    assert not replay.forget()


def test_hours_without_a_word_fill_no_memory() -> None:
    """Of noise nothing is kept beyond the limit, of music the newest two minutes."""
    for is_sound, kept in ((False, 0), (True, MOST_FORGOTTEN)):
        replay = Replay(1.0)
        for number in range(2 * MOST_FORGOTTEN):
            replay.sent(piece(number * CHUNK_S, is_sound=is_sound), now=0.0)
        assert len(replay.forget()) == kept


def test_what_a_stream_heard_that_ended_in_order_is_not_forgotten() -> None:
    """It is answered, without a word."""
    replay = spoken(40)
    replay.clear()

    assert not replay.forget()


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_silence_before_the_first_sound_is_not_sent_again(sounds: list[bool]) -> None:
    """A lost stream of somebody silent costs nothing."""
    replay = Replay(LIMIT_S)
    for number, is_sound in enumerate(sounds):
        replay.sent(piece(number * CHUNK_S, is_sound=is_sound), now=0.0)
    again = replay.take_back()

    assert [each.is_sound for each in again] == (
        sounds[sounds.index(True) :] if any(sounds) else []
    )
    assert replay.take_back() == []


@given(st.none() | st.floats(0, 20))
def test_of_a_stream_that_was_cut_only_the_end_is_sent_again(end: float | None) -> None:
    """It has answered the rest, with a word or without; what follows a timed word comes again."""
    replay = spoken(20)
    if end is not None:
        replay.answered(end, now=20)
    again = replay.cut()

    first = max(20 - LAG_S, (end or 0.0) - MARGIN_S)
    assert first - CHUNK_S - 1e-6 <= again[0].chunk.start <= first + 1e-6
    assert again[-1].chunk.end >= 20 - 1e-6
    assert replay.cut() == []
