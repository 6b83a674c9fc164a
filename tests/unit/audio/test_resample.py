"""Any rate to another, without seams."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.audio.resample import Resampler

NOISE: Samples = np.random.default_rng(7).standard_normal(24_000).astype(np.float32) * 0.1


def resample(resampler: Resampler, samples: Samples, cuts: list[int]) -> Samples:
    """Push `samples` cut at `cuts`, and flush."""
    edges = [0, *sorted(cuts), len(samples)]
    pieces = [resampler.push(samples[a:b]) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*pieces, resampler.flush()])


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(NOISE)), max_size=20))
def test_any_cutting_gives_the_same_samples(cuts: list[int]) -> None:
    """Bit for bit: where frames end leaves no trace."""
    whole = resample(Resampler(48_000, 24_000), NOISE, [])

    pieces = resample(Resampler(48_000, 24_000), NOISE, cuts)

    assert np.array_equal(pieces, whole)


@pytest.mark.parametrize("source_hz", [8_000, 16_000, 44_100, 48_000])
def test_duration_is_kept(source_hz: int) -> None:
    """A second in is a second out, whatever the rate."""
    second = np.zeros(source_hz, dtype=np.float32)

    assert len(resample(Resampler(source_hz, 24_000), second, [])) == 24_000


def test_time_is_kept() -> None:
    """A click stays where it was: the delay is inside, not in the samples' places."""
    click = np.zeros(24_000, dtype=np.float32)
    click[9_000] = 1.0

    assert np.argmax(resample(Resampler(48_000, 24_000), click, [])) == 4_500


def test_flush_starts_a_new_stream() -> None:
    """After a flush nothing of the old stream is heard in the new."""
    resampler = Resampler(48_000, 24_000)
    first = resample(resampler, NOISE, [])

    assert np.array_equal(resample(resampler, NOISE, []), first)


def test_equal_rates_change_nothing() -> None:
    """The same rate passes through, with nothing held back."""
    resampler = Resampler(24_000, 24_000)

    assert np.array_equal(resampler.push(NOISE), NOISE)
    assert len(resampler.flush()) == 0
