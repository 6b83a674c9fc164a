"""From one speaker's decoded frames to chunks for an engine."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ, Samples, level_dbfs
from livebot.audio.pipeline import Chunk, Pipeline

SOURCE_HZ = 48_000
FRAME = 960
NOISE: Samples = np.random.default_rng(3).standard_normal(48_000).astype(np.float32) * 0.1


def sine(hz: float, seconds: float, rate: int) -> Samples:
    """Return a sine at -6 dB of full scale."""
    at = np.arange(round(seconds * rate)) / rate
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * at), dtype=np.float32)


def play(pipeline: Pipeline, samples: Samples, cuts: list[int], pts: int = 0) -> list[Chunk]:
    """Push samples cut at `cuts`, each piece when it comes in real time; then flush."""
    edges = [0, *sorted(cuts), len(samples)]
    chunks = []
    for a, b in itertools.pairwise(edges):
        chunks += pipeline.push(samples[a:b], pts + a, 100 + a / SOURCE_HZ)
    return [*chunks, *pipeline.flush()]


def frames(samples: Samples) -> list[int]:
    """Return the cuts of 20 ms frames."""
    return list(range(FRAME, len(samples), FRAME))


def joined(chunks: list[Chunk]) -> Samples:
    """Return all samples of some chunks."""
    return np.concatenate([chunk.samples for chunk in chunks])


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, len(NOISE)), max_size=20), pts=st.integers(0, 2**32))
def test_any_cutting_gives_the_same_chunks(cuts: list[int], pts: int) -> None:
    """Bit for bit and at the same times, wherever frames end and RTP time starts."""
    whole = play(Pipeline(), NOISE, [])

    pieces = play(Pipeline(), NOISE, cuts, pts)

    assert [chunk.start for chunk in pieces] == [chunk.start for chunk in whole]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(pieces, whole, strict=True))


@pytest.mark.parametrize("hz", [100, 440, 3_000, 10_000])
def test_a_sine_stays_the_same_sine(hz: int) -> None:
    """Level, frequency and phase are kept: each sample is the sine's, also at the seams."""
    sent = sine(hz, 3.0, SOURCE_HZ)

    chunks = play(Pipeline(), sent, frames(sent))

    got, expected = joined(chunks), sine(hz, 3.0, RATE_HZ)
    assert [len(chunk.samples) for chunk in chunks] == [4_800] * 15
    inner = slice(2_400, -2_400)  # the sine begins and ends with a step
    assert np.abs(got[inner] - expected[inner]).max() < 1e-5
    assert level_dbfs(got) == pytest.approx(level_dbfs(sent), abs=0.05)


def test_what_is_above_the_band_does_not_fold_back() -> None:
    """15 kHz, which 24 kHz cannot hold, does not come out as 9 kHz."""
    sent = sine(15_000, 1.0, SOURCE_HZ)

    got = joined(play(Pipeline(), sent, frames(sent)))

    assert level_dbfs(got[2_400:-2_400]) < -100


def test_chunks_carry_session_time() -> None:
    """They start with the first frame's arrival and touch each other."""
    chunks = play(Pipeline(), NOISE, frames(NOISE))

    assert chunks[0].start == 100.0
    assert [c.start for c in chunks[1:]] == pytest.approx([c.end for c in chunks[:-1]])
    assert chunks[-1].end == pytest.approx(101.0)
    assert sum(chunk.seconds for chunk in chunks) == pytest.approx(1.0)


def test_a_lost_packet_is_a_hole_of_its_length() -> None:
    """What comes after the loss stays where it was spoken."""
    click = np.zeros(SOURCE_HZ, dtype=np.float32)
    click[30_000] = 1.0
    pipeline = Pipeline()

    chunks = []
    for at in range(0, SOURCE_HZ, FRAME):
        if at != 9_600:
            chunks += pipeline.push(click[at : at + FRAME], at, at / SOURCE_HZ)
    chunks += pipeline.flush()

    assert np.argmax(joined(chunks)) == 15_000
    assert pipeline.silent_seconds == pytest.approx(0.02)


def test_silence_by_timer_brings_the_last_word_out() -> None:
    """When packets stop in mid-chunk, the timer completes it with silence."""
    pipeline = Pipeline()
    spoken = sine(440, 0.3, SOURCE_HZ)

    (first,) = pipeline.push(spoken, 0, 0.0)
    assert pipeline.fill(0.4) == []
    filled = pipeline.fill(1.2)

    assert first.start == 0.0
    assert [chunk.start for chunk in filled] == pytest.approx([0.2, 0.4])
    assert level_dbfs(filled[0].samples) > -15
    assert level_dbfs(filled[1].samples) < -60


def test_a_jump_completes_what_was_before() -> None:
    """After a very long gap a new run of chunks starts at the new time; nothing is lost."""
    pipeline = Pipeline()
    pipeline.push(NOISE[:FRAME], 0, 0.0)

    (before,) = pipeline.push(NOISE[:FRAME], 3600 * SOURCE_HZ, 3600.0)
    (after,) = pipeline.flush()

    assert (before.start, after.start) == (0.0, 3600.0)
    assert len(before.samples) == FRAME // 2
    assert np.array_equal(before.samples, after.samples)


def test_a_restart_goes_by_arrival() -> None:
    """A new peer's timestamps are not compared with the old one's."""
    pipeline = Pipeline()
    pipeline.push(NOISE[:FRAME], 0, 0.0)
    pipeline.restart()
    pipeline.push(NOISE[:FRAME], 0, 0.1)

    (chunk,) = pipeline.flush()

    assert chunk.seconds == pytest.approx(0.12)


@pytest.mark.parametrize(("chunk_ms", "samples"), [(80, 1_920), (200, 4_800)])
def test_the_chunk_length_is_chosen(chunk_ms: int, samples: int) -> None:
    """An engine may want another step; a file may come at another rate."""
    pipeline = Pipeline(chunk_ms=chunk_ms, source_hz=16_000)

    chunks = pipeline.push(NOISE[:16_000], 0, 0.0)

    assert {len(chunk.samples) for chunk in chunks} == {samples}
