"""A recording becomes pieces of speech and what the voice in each is like."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livebot.audio.pcm import Samples
from livebot.stt.diarize.fbank import BANDS, LENGTH, SHIFT, fbank
from livebot.stt.diarize.pieces import Piece, Pieces
from livebot.stt.diarize.voices import Voice
from livebot.stt.diarize.windows import (
    FRAME_S,
    FRAMES,
    HOP,
    RATE_HZ,
    SEATS,
    WINDOW,
    WINDOW_S,
    Activity,
    Window,
    windows,
)

LEAST_S = 0.4
"""A voice cannot be described by less."""

_LEAST_BANDS = 25

_FRESH = HOP + LENGTH - SHIFT + (WINDOW - LENGTH) % SHIFT
"""Samples at the end of a window, from the first frame that did not fit into the one before."""

_KEPT = (WINDOW + HOP) // SHIFT
"""Frames: no piece that is not over begins earlier."""

_LOUD = 1e-4
"""Peaks below this (-80 dBFS) are no speech: such windows cost nothing."""


class Models(Protocol):
    """What is asked of the models: `Voices`."""

    def activity(self, samples: Samples) -> Activity:
        """Tell who speaks when in a window."""

    def voice(self, bands: NDArray[np.float32]) -> Voice:
        """Describe the voice in some frames."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of speech.

    Attributes:
        start: In seconds.
        end: In seconds.
        seat: The same number a few seconds on is the same person.
        alone_s: For how long nobody else speaks.
        voice: None where that is too short.
    """

    start: float
    end: float
    seat: int
    alone_s: float
    voice: Voice | None


def hear(
    blocks: Iterable[Samples], voices: Models, on_progress: Callable[[float], None]
) -> list[Heard]:
    """Listen to a recording.

    Args:
        blocks: Mono at `RATE_HZ`.
        voices: The models.
        on_progress: Told after each window how many seconds have been heard.
    """
    pieces, bands = Pieces(), _Bands()
    heard: list[Heard] = []
    for window in windows(blocks):
        bands.push(window)
        activity = _activity(window, voices)
        done = pieces.push(window.at_s, activity, window.from_s, window.to_s)
        heard += [_describe(piece, bands, voices) for piece in done]
        on_progress(window.at_s + window.to_s)
    heard += [_describe(piece, bands, voices) for piece in pieces.finish()]
    return sorted(heard, key=lambda piece: piece.start)


class _Bands:
    """What the voice model hears of the last window and of what comes just before it."""

    def __init__(self) -> None:
        self._bands = np.zeros((0, BANDS), np.float32)
        self._middles = np.zeros(0)

    def push(self, window: Window) -> None:
        """Take in what is new in a window: all of the first, and the end of each other."""
        fresh = _FRESH if len(self._bands) else WINDOW
        bands = fbank(window.samples[-fresh:])
        first = window.at_s * RATE_HZ + WINDOW - fresh + LENGTH / 2
        middles = (first + np.arange(len(bands)) * SHIFT) / RATE_HZ
        self._bands = np.concatenate([self._bands, bands])[-_KEPT:]
        self._middles = np.concatenate([self._middles, middles])[-_KEPT:]

    def of(self, piece: Piece) -> NDArray[np.float32]:
        """Return the frames of a piece in which nobody else speaks."""
        middle = (piece.start + piece.end) / 2
        # What is around it tells how loud each band of this recording is.
        around = np.abs(self._middles - middle) < WINDOW_S / 2
        chosen = _near(self._middles, np.array(piece.alone))
        out: NDArray[np.float32] = self._bands[chosen] - self._bands[around].mean(axis=0)
        return out


def _activity(window: Window, voices: Models) -> Activity:
    if np.abs(window.samples).max() < _LOUD:
        return np.zeros((FRAMES, SEATS), np.bool_)
    return voices.activity(window.samples)


def _describe(piece: Piece, bands: _Bands, voices: Models) -> Heard:
    voice = None
    if piece.alone_s >= LEAST_S and len(chosen := bands.of(piece)) >= _LEAST_BANDS:
        voice = voices.voice(chosen)
    return Heard(piece.start, piece.end, piece.seat, piece.alone_s, voice)


def _near(times: NDArray[np.float64], chosen: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of `times` belong to one of the frames around `chosen`; both ascend."""
    after = np.searchsorted(chosen, times).clip(0, len(chosen) - 1)
    before = (after - 1).clip(0)
    distance = np.minimum(np.abs(chosen[after] - times), np.abs(chosen[before] - times))
    near: NDArray[np.bool_] = distance <= FRAME_S / 2
    return near
