"""Samples and what other forms they come in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio import pcm

S16 = st.lists(st.integers(-32768, 32767), min_size=1, max_size=50)


@given(S16)
def test_mono_is_scaled_into_one(values: list[int]) -> None:
    """Every 16-bit value lands in [-1, 1] and can be had back exactly."""
    samples = pcm.from_s16_mono(np.array(values, dtype=np.int16))

    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    assert (samples * 32768).tolist() == values


@given(S16, S16)
def test_stereo_is_averaged(left: list[int], right: list[int]) -> None:
    """Each sample is the mean of its two channels, however the frame is shaped."""
    pairs = list(zip(left, right, strict=False))
    frame = np.array(pairs, dtype=np.int16).reshape(1, -1)

    samples = pcm.from_s16_stereo(frame)

    assert samples.dtype == np.float32
    assert (samples * 65536).tolist() == [a + b for a, b in pairs]


def test_silence_is_silent() -> None:
    """Digital silence has the asked length and the lowest level."""
    samples = pcm.silence(7)

    assert samples.dtype == np.float32
    assert samples.tolist() == [0.0] * 7
    assert pcm.level_dbfs(samples) == -120.0


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 0.0), (0.1, -20.0), (0.001, -60.0)])
def test_level_is_in_db_of_full_scale(amplitude: float, level: float) -> None:
    """A tenth of the amplitude is 20 dB less."""
    samples = np.full(100, amplitude, dtype=np.float32)

    assert pcm.level_dbfs(samples) == pytest.approx(level, abs=0.01)


def test_nothing_has_the_lowest_level() -> None:
    """No samples at all are as quiet as silence."""
    assert pcm.level_dbfs(pcm.silence(0)) == -120.0
