"""A model and a voice detector that read what is said from the samples themselves.

Word `k` is so many samples of the value `k`; silence is zero. So a test says what is
spoken by making audio, and knows what a perfect listener understands.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from livebot.audio.pcm import Samples
from livebot.stt.local.utterances import RATE_HZ, WINDOW
from livebot.stt.model import HeardWord

SCALE = 1024.0
"""Keeps the values of words inside [-1, 1]."""


def speak(pieces: Sequence[tuple[int, int]]) -> Samples:
    """Return audio: for each piece a word's number (0 for silence) and its windows."""
    parts = [np.full(count * WINDOW, word / SCALE, np.float32) for word, count in pieces]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def voice(samples: Samples) -> list[float]:
    """Return 1 for windows with a word in them."""
    return [float(window.any()) for window in samples.reshape(-1, WINDOW)]


class ScriptedHeard:
    """Understands every word spoken whole; guesses at one cut off, never twice the same."""

    def __init__(self, samples: Samples, *, whole: int) -> None:
        runs = [(round(v * SCALE), len(list(g))) for v, g in groupby(samples.tolist())]
        at = 0
        self._words: list[tuple[HeardWord, float]] = []
        for number, count in runs:
            if number:
                guess = count < whole * WINDOW
                text = f"guess{number}-{len(samples)}" if guess else f"w{number}"
                token = 100_000 + len(samples) if guess else number
                self._words.append((HeardWord(text, (token,)), at / RATE_HZ))
            at += count

    def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
        """Return what follows the prefix, which must be what was heard."""
        heard = [word for word, _ in self._words]
        assert heard[: len(prefix)] == list(prefix)
        return heard[len(prefix) :]

    def starts(
        self, prefix: Sequence[HeardWord], words: Sequence[HeardWord], *, after_s: float
    ) -> list[float]:
        """Return when the words begin."""
        asked = self._words[len(prefix) : len(prefix) + len(words)]
        return [max(after_s, start) for _, start in asked]
