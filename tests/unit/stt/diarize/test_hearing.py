"""A recording becomes pieces with voices."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livebot.audio.pcm import Samples, silence
from livebot.stt.diarize.fbank import fbank
from livebot.stt.diarize.hearing import hear
from livebot.stt.diarize.windows import (
    FRAME_S,
    FRAMES,
    RATE_HZ,
    SEATS,
    WINDOW_S,
    Activity,
)

LOUD = 0.05


class Ears:
    """Models that take what is loud for speech, and keep what they are asked to describe."""

    def __init__(self) -> None:
        self.asked: list[NDArray[np.float32]] = []
        self.windows = 0

    def activity(self, samples: Samples) -> Activity:
        """Say that seat 0 speaks where it is loud."""
        self.windows += 1
        out = np.zeros((FRAMES, SEATS), np.bool_)
        for frame in range(FRAMES):
            at = int((frame + 0.5) * FRAME_S * RATE_HZ)
            out[frame, 0] = np.abs(samples[at - 100 : at + 100]).max() > LOUD
        return out

    def voice(self, bands: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a voice."""
        self.asked.append(bands)
        return np.full(256, 1 / 16, np.float32)


def noise(seconds: float, level: float) -> Samples:
    """Return noise of a seed of its own."""
    dice = np.random.default_rng(int(seconds * 1000))
    samples: Samples = dice.uniform(-level, level, int(seconds * RATE_HZ)).astype(np.float32)
    return samples


def in_seconds(samples: Samples) -> list[Samples]:
    """Return blocks as a decoder gives them."""
    return [samples[i : i + RATE_HZ] for i in range(0, len(samples), RATE_HZ)]


def test_what_is_described_is_what_was_said() -> None:
    """Wherever in the recording it is: the bands are those of its samples, without their mean."""
    quiet = noise(1.0, 0.001)
    said = noise(1.5, 0.3)
    for before_s in (0, 7, 12, 31):
        samples = np.concatenate([*[quiet] * before_s, said, *[quiet] * 9])
        ears = Ears()

        (piece,) = hear(in_seconds(samples), ears, lambda _: None)

        assert (piece.start, piece.end) == pytest.approx((before_s, before_s + 1.5), abs=0.05)
        (bands,) = ears.asked
        assert len(bands) == pytest.approx(150, abs=5)
        expected = fbank(said)[20:120]
        # They differ by a mean only: from frame to frame they change alike.
        best = min(
            np.abs(np.diff(bands[at : at + 100], axis=0) - np.diff(expected, axis=0)).max()
            for at in range(10, 30)
        )
        assert best < 0.05


def test_digital_silence_costs_nothing() -> None:
    """No model is asked."""
    ears = Ears()

    assert hear([silence(RATE_HZ)] * 60, ears, lambda _: None) == []
    assert ears.windows == 0


def test_progress_never_goes_back_and_ends_at_the_end() -> None:
    """Also where the last window is hardly full."""
    told: list[float] = []

    hear(in_seconds(noise(23.3, 0.001)), Ears(), told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(23.3)
    assert max(np.diff(told)) < WINDOW_S


def test_an_empty_recording() -> None:
    """Nothing is heard."""
    assert hear([], Ears(), lambda _: None) == []
