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

_DELAYS = range(0, 1000, 4)


def correlation(decoded: Samples, original: Samples) -> float:
    """Return how alike what was decoded is to what was encoded, 1 at best.

    A codec delays by some milliseconds: the best of those delays counts.
    """
    return max(_correlation(decoded[delay:], original) for delay in _DELAYS)


def snr_db(decoded: Samples, reference: Samples) -> float:
    """Return by how much the reference is louder than what differs from it, in dB."""
    noise = float(np.sum((decoded - reference) ** 2)) + 1e-12
    return 10 * float(np.log10(float(np.sum(reference**2)) / noise))


def _correlation(a: Samples, b: Samples) -> float:
    count = min(len(a), len(b))
    return float(np.corrcoef(a[:count], b[:count])[0, 1])
