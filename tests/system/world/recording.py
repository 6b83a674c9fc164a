"""Recordings with their words, and how they are read."""

import json
import re
import wave
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

import livebot

SPEECH = Path(livebot.__file__).parent / "demo" / "speech"
RATE_HZ = 48_000
"""The rate of Opus, and so of everything that people send."""

Sound = npt.NDArray[np.int16]

_PAUSE: Sound = np.zeros(round(0.8 * RATE_HZ), dtype=np.int16)

TWO_SENTENCES = ("ls_61", "libri_01_spk1089")
"""What most tests say: 28 words, so that five points of error rate are more than one word,
and none that the embedded engine hears differently from time to time."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word of a recording and when it ends, in seconds from its beginning."""

    text: str
    end: float


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """Speech whose words are known.

    Attributes:
        name: Its id in the manifest.
        sound: Mono, at 48 kHz.
        text: What is said.
        words: When each word ends, where that is known; some may be missing.
    """

    name: str
    sound: Sound = field(repr=False)
    text: str
    words: tuple[SpokenWord, ...]

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return len(self.sound) / RATE_HZ


@cache
def recording(*names: str) -> Recording:
    """Load recordings of the demo by their ids; several become one, with pauses between."""
    parts = [_one(name) for name in names]
    whole = parts[0]
    for part in parts[1:]:
        sound = np.concatenate([whole.sound, _PAUSE, part.sound])
        begins = (len(whole.sound) + len(_PAUSE)) / RATE_HZ
        words = (*whole.words, *(SpokenWord(w.text, begins + w.end) for w in part.words))
        whole = Recording(f"{whole.name}+{part.name}", sound, f"{whole.text} {part.text}", words)
    return whole


def _one(name: str) -> Recording:
    manifest = json.loads((SPEECH / "manifest.json").read_text(encoding="utf-8"))
    (entry,) = (e for e in manifest if e["id"] == name)
    words = tuple(SpokenWord(text, end) for text, _, end in entry.get("words") or ())
    return Recording(name, _read(SPEECH / entry["file"]), entry["text"], words)


def _read(path: Path) -> Sound:
    with wave.open(str(path), "rb") as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        mono = raw.reshape(-1, file.getnchannels())[:, 0]
        sound: Sound = soxr.resample(mono, file.getframerate(), RATE_HZ)
        return sound


def write(path: Path, sound: Sound, *, silence_before_s: float) -> None:
    """Write *sound* as a WAV file after some silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(2 * round(silence_before_s * RATE_HZ)))
        file.writeframes(sound.tobytes())


def bare_words(text: str) -> list[str]:
    """Split *text* into words without case and punctuation, as the manifest has them."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())
