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
    assert bands[-1].argmax() == pytest.approx(expected, abs=1.5)


def test_loudness_does_not_matter() -> None:
    """The mean of each band is taken off."""
    noise: Samples = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)

    assert fbank(noise) == pytest.approx(fbank(noise / np.float32(8)), abs=1e-3)
    assert fbank(noise).mean(axis=0) == pytest.approx(np.zeros(BANDS), abs=1e-4)


def test_silence_is_flat() -> None:
    """And no infinity."""
    assert not fbank(silence(LENGTH * 4)).any()
