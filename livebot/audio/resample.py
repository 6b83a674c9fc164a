"""Any rate to another, without seams; the only file that knows soxr.

The resampler answers in bursts (0 or 830 samples per frame of 960), so whoever reads
it takes any length. Its output is in time with its input: sample `n` of the output is
what was heard `n / target_hz` seconds after the first sample of the input. What it
costs is only that the last 30 to 50 ms are still inside.
"""

import numpy as np
import soxr

from livebot.audio.pcm import Samples

_NOTHING: Samples = np.zeros(0, dtype=np.float32)


class Resampler:
    """One source's stream from one rate to another; lives as long as the source.

    Args:
        source_hz: Rate of what is pushed.
        target_hz: Rate of what comes back.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self._stream = (
            None
            if source_hz == target_hz
            else soxr.ResampleStream(source_hz, target_hz, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Samples) -> Samples:
        """Take samples in and return those that are ready."""
        if self._stream is None:
            return samples
        ready: Samples = self._stream.resample_chunk(samples)
        return ready

    def flush(self) -> Samples:
        """Return what is still inside; the next `push` starts a new stream."""
        if self._stream is None:
            return _NOTHING
        rest: Samples = self._stream.resample_chunk(_NOTHING, last=True)
        self._stream.clear()
        return rest
