"""What the voice model hears."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples, silence
from livebot.stt.diarize.fbank import BANDS, LENGTH, RATE_HZ, SHIFT, fbank


def tone(hz: float, seconds: float) -> Samples:
    """Return a tone that grows, so that its band varies."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    samples: Samples = (0.1 * times * np.sin(2 * np.pi * hz * times)).astype(np.float32)
    return samples


@settings(max_examples=30)
@given(st.integers(LENGTH, 20 * LENGTH))
def test_a_frame_each_ten_milliseconds(count: int) -> None:
    """As many as fit into the audio."""
    noise = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)

    assert fbank(noise).shape == ((count - LENGTH) // SHIFT + 1, BANDS)


@pytest.mark.parametrize("hz", [100, 440, 1000, 3000, 7000])
def test_a_tone_is_in_its_band(hz: int) -> None:
    """Bands are as wide as a mel scale from 20 Hz to 8 kHz makes them."""
    rng = np.random.default_rng(0)
    with_tone: Samples = rng.normal(0, 1e-5, 8000).astype(np.float32)
    with_tone[4000:] += tone(hz, 0.25)

    bands = fbank(with_tone)

    mel = 1127 * np.log1p(np.array([20, 8000, hz]) / 700)
    expected = (mel[2] - mel[0]) / (mel[1] - mel[0]) * (BANDS + 1) - 1
    assert (bands - bands.mean(axis=0))[-1].argmax() == pytest.approx(expected, abs=1.5)


def test_loudness_is_the_same_in_all_bands() -> None:
    """Taking the mean off takes it away."""
    noise: Samples = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)

    louder = fbank(noise) - fbank(noise / np.float32(8))

    assert louder == pytest.approx(np.full_like(louder, np.log(64)), abs=1e-3)


def test_a_frame_depends_on_its_own_samples_only() -> None:
    """Bands of a long recording can be computed piece by piece."""
    noise: Samples = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)

    assert np.array_equal(fbank(noise)[10:], fbank(noise[10 * SHIFT :]))


def test_silence_is_flat() -> None:
    """And no infinity."""
    assert np.ptp(fbank(silence(LENGTH * 4))) == 0
