"""RTP time to session time, and an engine's time to session time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.audio.timeline import RTP_WRAP, StreamClock, Stretch, Timeline, signed32

RATE = 1000
"""So that a sample is a millisecond."""

FRAME = 20


SKIPS = st.just(0) | st.integers(5, 5000)


def speech(count: int = FRAME) -> Samples:
    """Return samples that are not silent."""
    return np.full(count, 0.5, dtype=np.float32)


def quiet(count: int = FRAME) -> Samples:
    """Return samples that nobody hears."""
    return np.full(count, 0.0001, dtype=np.float32)


def timeline() -> Timeline:
    """Return a time line in milliseconds."""
    return Timeline(RATE, patience_s=0.5, max_gap_s=30)


def length(stretches: list[Stretch]) -> int:
    """Return how much audio it is."""
    return sum(len(stretch.samples) for stretch in stretches)


def heard(stretches: list[Stretch]) -> int:
    """Return how much of it is not silence."""
    return sum(int(np.count_nonzero(stretch.samples)) for stretch in stretches)


def test_the_first_frame_is_placed_by_its_arrival() -> None:
    """Session time is when it came, wherever RTP time starts."""
    (first,) = timeline().push(speech(), pts=123_456, now=7.5)

    assert (first.start, first.jump) == (7500, True)


@given(
    first=st.integers(0, RTP_WRAP - 1),
    is_lost=st.lists(st.booleans(), min_size=1, max_size=100),
    is_unwrapped=st.booleans(),
)
def test_gaps_become_silence_of_their_length(
    first: int, is_lost: list[bool], *, is_unwrapped: bool
) -> None:
    """Whatever is lost and wherever timestamps wrap, every frame lies where it was spoken."""
    line = timeline()
    stretches = line.push(speech(), first, now=0.0)
    for number, lost in enumerate([*is_lost, False], start=1):
        pts = first + number * FRAME
        if not lost:
            wrapped = pts if is_unwrapped else pts % RTP_WRAP
            stretches += line.push(speech(), wrapped, now=number * FRAME / RATE)

    came = np.repeat([True, *(not lost for lost in is_lost), True], FRAME)
    assert np.array_equal(np.concatenate([s.samples for s in stretches]) > 0, came)
    assert [s.start for s in stretches] == np.cumsum(
        [0, *(len(s.samples) for s in stretches[:-1])]
    ).tolist()
    assert [s.jump for s in stretches] == [True] + [False] * (len(stretches) - 1)
    assert line.silent_seconds == sum(is_lost) * FRAME / RATE


def test_a_repetition_is_trimmed() -> None:
    """What was there before comes only once: a whole frame, and a part of one."""
    line = timeline()
    line.push(speech(), 0, now=0.0)

    assert line.push(speech(), 0, now=0.02) == []
    assert length(line.push(speech(), 15, now=0.04)) == 15
    (last,) = line.push(speech(), 35, now=0.06)
    assert last.start == 35


@pytest.mark.parametrize(
    "pts",
    [
        pytest.param(10**6, id="far ahead"),
        pytest.param(100_020 + 25_000, id="further ahead than the time that passed"),
        pytest.param(100_020 - 2_000, id="far back"),
        pytest.param(100_020 - 2_000 + RTP_WRAP, id="far back, as aiortc tells it"),
    ],
)
def test_another_stream_is_placed_by_its_arrival(pts: int) -> None:
    """A jump in RTP time that the clock does not know is neither silence nor loss."""
    line = timeline()
    line.push(speech(), 100_000, now=10.0)

    gap, frame = line.push(speech(), pts, now=10.1)
    (following,) = line.push(speech(), pts + FRAME, now=10.12)

    assert (gap.start, length([gap]), heard([gap])) == (10_020, 80, 0)
    assert (frame.start, frame.jump) == (10_100, False)
    assert following.start == 10_120


def test_a_restart_is_placed_by_its_arrival() -> None:
    """A new peer counts from anywhere, even from nearly the same."""
    line = timeline()
    line.push(speech(), 0, now=10.0)
    line.restart()

    stretches = line.push(speech(), 0, now=10.1)

    assert [stretch.start for stretch in stretches] == [10_020, 10_100]
    assert heard(stretches) == FRAME


def test_a_restart_does_not_go_back() -> None:
    """A new stream that arrives before the old one's end follows it."""
    line = timeline()
    line.push(speech(500), 0, now=10.0)
    line.restart()

    (frame,) = line.push(speech(), 0, now=10.1)
    after_pause = line.push(speech(), 1000, now=11.1)

    assert (frame.start, frame.jump) == (10_500, False)
    assert after_pause[-1].start == 11_100


def test_a_very_long_gap_is_a_jump() -> None:
    """Half an hour without a packet is not half an hour of silence in memory."""
    line = timeline()
    line.push(speech(), 0, now=0.0)

    (frame,) = line.push(speech(), 1_800_000, now=1800.0)

    assert (frame.start, frame.jump) == (1_800_000, True)
    assert line.silent_seconds == 0


def test_nothing_is_filled_before_the_first_frame() -> None:
    """There is no time line yet."""
    assert timeline().fill(100.0) == []


def test_silence_is_filled_after_the_patience() -> None:
    """Not before, and then up to the patience before now."""
    line = timeline()
    line.push(speech(), 0, now=0.0)

    assert line.fill(0.499) == []
    assert line.fill(0.5) == []  # the frame itself reaches beyond 0.0
    (filled,) = line.fill(0.7)

    assert (filled.start, length([filled]), heard([filled])) == (20, 180, 0)


@given(st.lists(st.integers(1, 3000), max_size=8), st.integers(0, 5000))
def test_filled_time_is_not_filled_again(fills: list[int], pause: int) -> None:
    """However often silence is asked for, a frame after a pause lies at its time or after."""
    line = timeline()
    stretches = line.push(speech(), 0, now=0.0)
    now = FRAME + pause
    for fill in sorted(fill for fill in fills if fill < now):
        stretches += line.fill(fill / RATE)

    stretches += line.push(speech(), now, now=now / RATE)

    assert stretches[-1].start == now
    assert length(stretches) == now + FRAME
    assert heard(stretches) == 2 * FRAME


@given(every=st.integers(1, FRAME), step=st.integers(FRAME + 1, 60_000))
def test_no_timestamps_make_silence_faster_than_time_passes(every: int, step: int) -> None:
    """However far each frame says to be from the last: else one speaker would fill all queues."""
    line = timeline()
    made = [
        stretch
        for n in range(200)
        for stretch in line.push(speech(), pts=n * step, now=n * every / RATE)
    ]

    assert heard(made) == 200 * FRAME
    assert length(made) - heard(made) <= 200 * every + 2 * RATE


def test_late_speech_is_kept_and_the_next_pause_pays() -> None:
    """After a stall of the network nothing is lost, and time is right again after a pause."""
    line = timeline()
    line.push(speech(), 0, now=0.0)
    line.fill(2.0)

    late = [s for n in range(1, 101) for s in line.push(speech(), n * FRAME, now=2.02)]
    after_pause = line.push(speech(), 2020 + 3000, now=5.02)
    after_another = line.push(speech(), 5040 + 700, now=5.74)

    assert heard(late) == length(late) == 2000
    assert late[0].start == 1500
    assert after_pause[-1].start == 5020
    assert after_another[-1].start == 5740


def test_late_speech_is_paid_by_quiet_where_nothing_pauses() -> None:
    """A microphone that sends its quiet comes back to its time too; speech stays whole."""
    line = timeline()
    line.push(speech(), 0, now=0.0)
    line.fill(2.0)  # 1480 ms ahead

    out = []
    for n in range(1, 201):
        frame = quiet() if 20 <= n < 180 else speech()
        out += line.push(frame, n * FRAME, now=n * FRAME / RATE)

    assert sum(int(np.count_nonzero(s.samples > 0.1)) for s in out) == 40 * FRAME
    assert out[-1].start == 200 * FRAME


def test_short_quiet_does_not_pay() -> None:
    """The pauses between words keep their length."""
    line = timeline()
    line.push(speech(), 0, now=0.0)
    line.fill(2.0)

    out = []
    for n in range(1, 101):
        out += line.push(quiet() if n % 20 else speech(), n * FRAME, now=n * FRAME / RATE)

    assert length(out) == 100 * FRAME


@pytest.mark.parametrize("every", [1, 20], ids=["all sent", "DTX"])
def test_silence_after_a_mute_that_stopped_the_timestamps_is_real(every: int) -> None:
    """A replaced track's timestamps go on where they stopped; the time filled in is not owed."""
    line = timeline()
    line.push(speech(), 0, now=0.02)
    line.fill(60.0)

    out = []
    for n in range(1, 51):
        out += line.push(speech(), n * FRAME, now=60 + n * FRAME / RATE)
    for n in range(51, 1551):
        if n % every == 0:
            out += line.push(quiet(), n * FRAME, now=60 + n * FRAME / RATE)
        out += line.fill(60 + n * FRAME / RATE)
    last = line.push(speech(), 1551 * FRAME, now=60 + 1551 * FRAME / RATE)[-1]

    # Placed too early by the patience at most: a burst of late speech looks the same.
    assert length(out) == pytest.approx(1550 * FRAME, abs=520)
    assert last.start == pytest.approx(60_000 + 1551 * FRAME, abs=520)


def test_a_fill_beyond_the_longest_gap_is_a_jump() -> None:
    """Whoever asks for silence after an hour gets none, and the next frame lies at its time."""
    line = timeline()
    line.push(speech(), 0, now=0.0)

    assert line.fill(3600.0) == []
    first, frame = line.push(speech(), 3_600_000, now=3600.0)

    assert (first.jump, heard([first]), length([first])) == (True, 0, 500)
    assert frame.start == 3_600_000


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-3, 3))
def test_timestamps_wrap(step: int, turns: int) -> None:
    """Whole turns do not count."""
    assert signed32(step + turns * RTP_WRAP) == step


def test_a_stream_without_breaks_has_one_anchor() -> None:
    """Stream time is session time less the start."""
    clock = StreamClock(RATE)
    for number in range(100):
        clock.sent(5.0 + number * 0.2, 200)

    assert clock.session_time(0.0) == 5.0
    assert clock.session_time(12.34) == pytest.approx(17.34)
    assert clock.session_time(30.0) == pytest.approx(35.0)  # the engine may be ahead


@given(st.lists(st.tuples(SKIPS, st.integers(5, 400)), min_size=1, max_size=60))
def test_a_moment_is_found_where_it_was_sent(pieces: list[tuple[int, int]]) -> None:
    """Each piece's middle, start and end map to where the piece belongs, over all breaks."""
    clock = StreamClock(RATE)
    at, sent, expected = 10_000, 0, []
    for skip, count in pieces:
        at += skip
        clock.sent(at / RATE, count)
        expected.append((sent, at, count))
        at += count
        sent += count

    for streamed, session, count in expected:
        start = clock.session_time(streamed / RATE)
        middle = clock.session_time((streamed + count / 2) / RATE)
        end = clock.session_time((streamed + count) / RATE, is_end=True)
        assert start == pytest.approx(session / RATE, abs=0.0011)
        assert middle == pytest.approx((session + count / 2) / RATE, abs=0.0011)
        assert end == pytest.approx((session + count) / RATE, abs=0.0011)


def test_anchors_are_bounded() -> None:
    """Long calls forget old breaks; what is older than all is counted from the oldest."""
    clock = StreamClock(RATE, max_anchors=2)
    for number in range(10):
        clock.sent(number * 10.0, 1000)

    assert clock.session_time(9.5) == pytest.approx(90.5)
    assert clock.session_time(8.5) == pytest.approx(80.5)
    assert clock.session_time(7.5) == pytest.approx(79.5)


def test_a_clock_without_audio_knows_only_the_stream() -> None:
    """Before anything was sent stream time is all there is."""
    assert StreamClock(RATE).session_time(1.5) == 1.5
