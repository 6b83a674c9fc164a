"""Recorded speech with its text: a folder with a `manifest.json`, named by `AUDIO`.

The manifest is a list of objects with `id`, `file`, `text`, and for some `words`: each word with
its start and end in seconds, from forced alignment. Without `AUDIO`, the demo's recordings.
"""

import json
import os
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from livebot.audio.pcm import Samples, from_s16_mono
from tests.accuracy.times import Timed

DEMO = Path(__file__).parents[2] / "livebot" / "demo" / "speech"
FOLDER = Path(os.environ.get("AUDIO") or DEMO)


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording.

    Attributes:
        name: Its id.
        path: Its file: 16 bits, mono.
        text: What is said.
        words: What is said when; empty where nobody aligned it.
    """

    name: str
    path: Path
    text: str
    words: tuple[Timed, ...]

    def samples(self, rate_hz: int) -> Samples:
        """Return the audio at this rate."""
        with wave.open(str(self.path)) as file:
            samples = from_s16_mono(np.frombuffer(file.readframes(file.getnframes()), np.int16))
            out: Samples = soxr.resample(samples, file.getframerate(), rate_hz)
        return out

    @property
    def duration_s(self) -> float:
        """Return how long it is."""
        with wave.open(str(self.path)) as file:
            return int(file.getnframes()) / int(file.getframerate())


@cache
def entries(folder: Path = FOLDER) -> tuple[Entry, ...]:
    """Return all recordings of a folder; blocks."""
    found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return tuple(
        Entry(
            item["id"],
            folder / item["file"],
            item["text"],
            tuple(Timed(*word) for word in item.get("words", ())),
        )
        for item in found
    )
