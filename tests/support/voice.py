"""Real speech at 48 kHz for codec tests, and how alike two pieces of it are."""

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from tests.support.recorded_speech import FOLDER, recording

_NAME = min(path.stem for path in FOLDER.glob("*.wav"))


def _at_48_khz() -> Samples:
    resampler = Resampler(RATE_HZ, 48_000)
    audio = recording(_NAME).audio
    samples: Samples = np.concatenate([resampler.push(audio), resampler.flush()])
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    return samples[loud[0] : loud[-1]]


VOICE = _at_48_khz()
"""One of the demo's speakers, from the first loud sample on."""

_MAX_DELAY = 1000
"""Samples; no Opus encoder looks further ahead."""


def correlation(decoded: Samples, original: Samples) -> float:
    """Return how alike what was decoded is to what was encoded, 1 at best.

    A codec delays by some milliseconds: the delay at which they are most alike counts.
    """
    size = 2 * max(len(decoded), len(original))
    alike = np.fft.irfft(np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(original, size)))
    later = decoded[int(np.argmax(alike[:_MAX_DELAY])) :]
    count = min(len(later), len(original))
    return float(np.corrcoef(later[:count], original[:count])[0, 1])


def snr_db(decoded: Samples, reference: Samples) -> float:
    """Return by how much the reference is louder than what differs from it, in dB."""
    noise = float(np.sum((decoded - reference) ** 2)) + 1e-12
    return 10 * float(np.log10(float(np.sum(reference**2)) / noise))
