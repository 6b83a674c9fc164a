"""The demo's recordings, for tests that need real speech."""

import json
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples, from_s16_mono
from livebot.audio.resample import Resampler

FOLDER = Path(__file__).parents[2] / "livebot" / "demo" / "speech"


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech and its text.

    Attributes:
        audio: At `RATE_HZ`.
        text: What is said.
    """

    audio: Samples
    text: str


@cache
def recording(name: str) -> Recording:
    """Read one of `livebot/demo/speech`; from a synchronous fixture or at import, it blocks."""
    texts = {e["id"]: e["text"] for e in json.loads((FOLDER / "manifest.json").read_text())}
    with wave.open(str(FOLDER / f"{name}.wav")) as file:
        samples = from_s16_mono(np.frombuffer(file.readframes(file.getnframes()), np.int16))
        resampler = Resampler(file.getframerate(), RATE_HZ)
    return Recording(np.concatenate([resampler.push(samples), resampler.flush()]), texts[name])
