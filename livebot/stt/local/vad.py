"""Voice activity: how likely each 32 ms of audio are speech (Silero v6)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import Samples
from livebot.stt.local.onnx import open_session

WINDOW = 512
_CONTEXT = 64
_MEMORY = (1, 1, 128)

FLOOR = 3e-4
"""Peaks below this (-70 dBFS) are no speech: such windows cost nothing."""


class VadModel:
    """The loaded model; one for all streams.

    Args:
        path: The ONNX file.

    Raises:
        EngineError: The file does not work.
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)

    def stream(self) -> "Vad":
        """Return the state of a new stream."""
        return Vad(self)

    def run(
        self, windows: Samples, hidden: Samples, cell: Samples
    ) -> tuple[npt.NDArray[np.float32], Samples, Samples]:
        """Return the probabilities and the memory after these windows."""
        odds, hidden, cell = self._session.run(None, {"input": windows, "h": hidden, "c": cell})
        return odds.reshape(-1), hidden, cell


class Vad:
    """One stream's voice activity: remembers what came before."""

    def __init__(self, model: VadModel) -> None:
        self._model = model
        self._hidden = np.zeros(_MEMORY, np.float32)
        self._cell = np.zeros(_MEMORY, np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)

    def __call__(self, samples: Samples) -> list[float]:
        """Return the probability of speech for each window.

        Args:
            samples: Whole windows of `WINDOW` samples at 16 kHz.
        """
        windows = samples.reshape(-1, WINDOW)
        tails = np.vstack([self._before[None], windows[:, -_CONTEXT:]])
        self._before = tails[-1]
        odds = np.zeros(len(windows), np.float32)
        loud = np.flatnonzero(np.abs(windows).max(axis=1) >= FLOOR)
        if loud.size:
            inputs = np.hstack([tails[loud], windows[loud]])
            odds[loud], self._hidden, self._cell = self._model.run(
                inputs, self._hidden, self._cell
            )
        return [float(p) for p in odds]
