"""Any number of channels of any kind to one."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.recordings.mono import AUDIBLE, Mixer, to_float

SINE: Samples = (0.5 * np.sin(np.arange(16_000) * 0.1)).astype(np.float32)
QUIET: Samples = np.full(16_000, 0.9 * AUDIBLE, dtype=np.float32)


@pytest.mark.parametrize(
    "samples",
    [
        np.array([0, 128, 255], np.uint8),
        np.array([-(2**15), 0, 2**15 - 1], np.int16),
        np.array([-(2**31), 0, 2**31 - 1], np.int32),
        np.array([-1.0, 0.0, 1.0], np.float32),
        np.array([-7.5, 0.0, 1e300], np.float64),
    ],
    ids=lambda samples: samples.dtype.name,
)
def test_all_types_mean_the_same(samples: npt.NDArray[Any]) -> None:
    """The lowest value is -1, the middle is silence, the highest is 1 or nearly."""
    scaled = to_float(samples)

    assert scaled.dtype == np.float32
    assert scaled == pytest.approx([-1.0, 0.0, 1.0], abs=0.01)


def test_what_is_no_number_is_silence() -> None:
    """Nothing that follows can be spoilt by it."""
    samples = np.array([np.nan, np.inf, -np.inf, 0.5], np.float32)

    assert to_float(samples) == pytest.approx([0.0, 0.0, 0.0, 0.5])


@pytest.mark.parametrize("channels", [2, 3, 8])
@pytest.mark.parametrize("other", [np.zeros_like(SINE), QUIET], ids=["silence", "noise"])
def test_silent_channels_take_nothing_away(channels: int, other: Samples) -> None:
    """One microphone on many channels is as loud as on one."""
    mixed = Mixer(channels).mix(np.stack([*[other] * (channels - 1), SINE]))

    assert np.array_equal(mixed, SINE)


def test_channels_with_sound_are_averaged() -> None:
    """So nothing is cut off."""
    mixed = Mixer(2).mix(np.stack([np.ones_like(SINE), SINE]))

    assert np.allclose(mixed, (1 + SINE) / 2)


def test_a_recording_that_is_quiet_everywhere_is_averaged() -> None:
    """It is as quiet as it is."""
    assert np.allclose(Mixer(2).mix(np.stack([QUIET, QUIET])), QUIET)


def test_a_channel_that_wakes_up_makes_no_click() -> None:
    """The one that spoke before steps back in some milliseconds."""
    mixer = Mixer(2)
    first = mixer.mix(np.stack([np.ones_like(SINE), np.zeros_like(SINE)]))
    second = mixer.mix(np.stack([np.ones_like(SINE), np.full_like(SINE, 0.5)]))

    whole = np.concatenate([first, second])

    assert np.abs(np.diff(whole)).max() < 0.001
    assert whole[0] == 1.0
    assert whole[-1] == 0.75


@given(st.lists(st.integers(0, len(SINE)), max_size=10), st.integers(1, 4))
def test_any_cutting_gives_the_same_samples(cuts: list[int], channels: int) -> None:
    """Once all channels have been heard."""
    audio = np.stack([np.roll(SINE, 100 * n) for n in range(channels)])
    mixer, edges = Mixer(channels), [0, *sorted(cuts), len(SINE)]
    mixer.mix(np.ones((channels, 1), np.float32))

    pieces = [mixer.mix(audio[:, a:b]) for a, b in itertools.pairwise(edges)]

    assert np.allclose(np.concatenate(pieces), audio.mean(axis=0), atol=1e-6)
