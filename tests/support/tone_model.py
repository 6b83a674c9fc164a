"""A recogniser for tests: each burst of sound is a word, and words come late, as in life.

It works in frames of 80 ms. A word is known once the first quiet frame after it has been
followed by as many frames as the model's delay: without more audio it never comes.
"""

from dataclasses import dataclass

import numpy as np

from livebot.audio.pcm import Samples

FRAME = 1_920
FRAME_S = 0.08
LOUD = 0.01

BURST = 3
GAP = 3
"""Frames of sound and of silence that `speech()` makes of each word."""

PAUSE = 12
"""Frames of silence after which the model is sure that the speaker pauses."""

NAMES = ("Zero", "one", "two,", "three.", "Four", "five", "six,", "seven.", "Eight", "nine.")


@dataclass(frozen=True, slots=True)
class Heard:
    """One word as the model tells it."""

    text: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class Stepped:
    """One frame was taken; `quiet` counts the frames of silence up to now."""

    index: int
    quiet: int
    words: tuple[Heard, ...]

    @property
    def is_pause(self) -> bool:
        """Whether the pause is told with this step."""
        return self.quiet == PAUSE and self.index >= PAUSE


def speech(words: int, *, lead: int = 2) -> Samples:
    """Return audio in which the model hears that many words."""
    tone = np.sin(np.arange(BURST * FRAME) * 0.1).astype(np.float32) / 2
    one = np.concatenate([tone, np.zeros(GAP * FRAME, np.float32)])
    return np.concatenate([np.zeros(lead * FRAME, np.float32), *([one] * words)])


def said(words: int) -> list[str]:
    """Return what `speech(words)` says."""
    return [NAMES[i % len(NAMES)] for i in range(words)]


class ToneModel:
    """Hears the words of one stream.

    Args:
        delay: The model's delay, in frames.
    """

    def __init__(self, delay: int = 7) -> None:
        self._delay = delay
        self._rest = np.zeros(0, np.float32)
        self._index = 0
        self._quiet = 0
        self._count = 0
        self._begun: int | None = None
        self._due: list[tuple[int, Heard]] = []

    def feed(self, samples: Samples) -> list[Stepped]:
        """Take samples in; return a step for each frame they complete."""
        whole = np.concatenate([self._rest, samples])
        frames = len(whole) // FRAME
        self._rest = whole[frames * FRAME :]
        return [self._step(whole[i * FRAME : (i + 1) * FRAME]) for i in range(frames)]

    def _step(self, frame: Samples) -> Stepped:
        at = self._index
        self._index += 1
        if float(np.abs(frame).max()) > LOUD:
            self._quiet = 0
            self._begun = at if self._begun is None else self._begun
        else:
            self._quiet += 1
            if self._begun is not None:
                name = NAMES[self._count % len(NAMES)]
                heard = Heard(name, self._begun * FRAME_S, at * FRAME_S)
                self._due.append((at + self._delay, heard))
                self._count += 1
                self._begun = None
        ripe = tuple(heard for due, heard in self._due if due <= at)
        self._due = [(due, heard) for due, heard in self._due if due > at]
        return Stepped(at, self._quiet, ripe)
