"""Speech to Opus in Ogg, which every browser plays; not to be called on the event loop."""

import io

import av
import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import RATE_HZ

BIT_RATE = 24_000
"""Speech of 24 kHz is as good as before at that rate; half a minute is 90 KB."""

SUFFIX = ".ogg"


def encode(samples: npt.NDArray[np.int16]) -> bytes:
    """Return mono speech at `RATE_HZ` as an Ogg file."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
