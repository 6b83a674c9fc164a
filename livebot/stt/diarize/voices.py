"""The two models at work: who speaks in a window, and what a voice is like."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.diarize.community import Community
from livebot.stt.diarize.windows import Activity
from livebot.stt.local.onnx import Session, open_session

Voice = NDArray[np.float32]
"""A vector of length 1, shape (256,): the cosine of two tells how alike they are."""

CURE_MEMORY = "if too little memory is left or LT_MEMORY_LIMIT is low, give it more"
"""What to do where a model fails that worked before."""

_SPOKEN = 0.5
"""The model itself answers 0 or 1."""


class Voices:
    """Both models, loaded.

    Args:
        models: From the package.
        threads: As many cores may work at once.

    Raises:
        EngineError: onnxruntime is missing or cannot load them.
    """

    def __init__(self, models: Community, *, threads: int = 1) -> None:
        self._segmentation = open_session(models.segmentation, threads=threads)
        self._embedding = open_session(models.embedding, threads=threads)

    def activity(self, samples: Samples) -> Activity:
        """Tell who speaks when.

        Args:
            samples: `WINDOW` of them.

        Raises:
            EngineError: The model fails.
        """
        odds = _run(self._segmentation, {"waveforms": samples[None, None]})
        spoken: Activity = odds > _SPOKEN
        return spoken

    def voice(self, bands: NDArray[np.float32]) -> Voice:
        """Describe the one voice in a piece of audio.

        Args:
            bands: From `fbank`, of frames in which only that person speaks, 25 at least.

        Raises:
            EngineError: The model fails.
        """
        weights = np.ones((1, len(bands)), np.float32)
        voice: Voice = _run(self._embedding, {"fbank": bands[None], "weights": weights})
        return voice / max(float(np.linalg.norm(voice)), 1e-6)


def _run(session: Session, inputs: dict[str, Any]) -> Any:
    """Return the only row of the only output."""
    try:
        return session.run(None, inputs)[0][0]
    except Exception as exc:  # onnxruntime raises a dozen unrelated classes
        raise EngineError(f"a model that tells speakers apart failed: {CURE_MEMORY}") from exc
