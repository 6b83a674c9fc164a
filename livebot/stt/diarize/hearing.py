"""A recording becomes pieces of speech and what the voice in each is like."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livebot.audio.pcm import Samples
from livebot.stt.diarize.fbank import LENGTH, SHIFT, fbank
from livebot.stt.diarize.pieces import Piece, Pieces
from livebot.stt.diarize.voices import Voice, Voices
from livebot.stt.diarize.windows import (
    FRAME_S,
    FRAMES,
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

_LOUD = 1e-4
"""Peaks below this (-80 dBFS) are no speech: such windows cost nothing."""


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
    blocks: Iterable[Samples], voices: Voices, on_progress: Callable[[float], None]
) -> list[Heard]:
    """Listen to a recording.

    Args:
        blocks: Mono at `RATE_HZ`.
        voices: The models.
        on_progress: Told after each window how many seconds have been heard.
    """
    pieces = Pieces()
    heard: list[Heard] = []
    last: Window | None = None
    for window in windows(blocks):
        activity = _activity(window, voices)
        done = pieces.push(window.at_s, activity, window.from_s, window.to_s)
        heard += [_describe(piece, window, voices) for piece in done]
        on_progress(window.at_s + window.to_s)
        last = window
    if last:
        heard += [_describe(piece, last, voices) for piece in pieces.finish()]
    return sorted(heard, key=lambda piece: piece.start)


def _activity(window: Window, voices: Voices) -> Activity:
    if np.abs(window.samples).max() < _LOUD:
        return np.zeros((FRAMES, SEATS), np.bool_)
    return voices.activity(window.samples)


def _describe(piece: Piece, window: Window, voices: Voices) -> Heard:
    voice = _voice(piece, window, voices) if piece.alone_s >= LEAST_S else None
    return Heard(piece.start, piece.end, piece.seat, piece.alone_s, voice)


def _voice(piece: Piece, window: Window, voices: Voices) -> Voice | None:
    """Describe the voice in those frames of a piece in which nobody else speaks."""
    audio = np.concatenate([window.before, window.samples])
    begin_s = window.at_s - len(window.before) / RATE_HZ
    # What is around it tells how loud the bands of this recording are.
    middle_s = (piece.start + piece.end) / 2 - begin_s
    first = max(0, min(int((middle_s - WINDOW_S / 2) * RATE_HZ), len(audio) - WINDOW))
    bands = fbank(audio[first : first + WINDOW])
    middles = begin_s + (first + np.arange(len(bands)) * SHIFT + LENGTH / 2) / RATE_HZ
    chosen = bands[_near(middles, np.array(piece.alone))]
    return voices.voice(chosen) if len(chosen) >= _LEAST_BANDS else None


def _near(times: NDArray[np.float64], chosen: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of `times` belong to one of the frames around `chosen`; both ascend."""
    after = np.searchsorted(chosen, times).clip(0, len(chosen) - 1)
    before = (after - 1).clip(0)
    distance = np.minimum(np.abs(chosen[after] - times), np.abs(chosen[before] - times))
    near: NDArray[np.bool_] = distance <= FRAME_S / 2
    return near
