"""The packaged recordings, and who plays which of them when."""

import io
import wave
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import msgspec
import numpy as np

from livebot.audio.pcm import Samples, from_s16_mono
from livebot.audio.resample import Resampler

CALL_RATE_HZ: Final = 48_000
"""The rate of audio in calls."""


class Recording(msgspec.Struct, frozen=True):
    """A recording and what is said in it.

    Attributes:
        id: Its short name.
        file: Its file beside the manifest.
        text: What is said.
        language: The language's code.
        speaker: Who says it.
        licence: Under which it may be used.
        duration_s: Its length.
        words: Word, start and end in seconds; empty where nobody aligned them.
    """

    id: str
    file: str
    text: str
    language: str
    speaker: str
    licence: str
    duration_s: float
    words: list[tuple[str, float, float]]

    def samples(self) -> Samples:
        """Read the audio, at `CALL_RATE_HZ`."""
        data = _FOLDER.joinpath(self.file).read_bytes()
        with wave.open(io.BytesIO(data)) as wav:
            raw = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
            resampler = Resampler(wav.getframerate(), CALL_RATE_HZ)
        return np.concatenate([resampler.push(from_s16_mono(raw)), resampler.flush()])


@dataclass(frozen=True, slots=True)
class Turn:
    """One participant plays one recording.

    Attributes:
        who: The participant.
        recording: What is played.
        after_s: When it begins, from the end of the turn before; below 0 both speak at once.
    """

    who: str
    recording: Recording
    after_s: float


_FOLDER: Final = files("livebot.demo").joinpath("speech")

_PROGRAMME: Final = (
    ("Grace", "jfk", 0.0),
    ("Ada", "libri_02_spk1188", 0.5),
    ("Grace", "ls_61", 0.5),
    ("Ada", "libri_05_spk1284", 0.5),
    ("Grace", "ls_7902", -1.0),
    ("Ada", "libri_04_spk1221", 0.5),
)

PARTICIPANTS: Final = ("Ada", "Grace")


def recordings() -> dict[str, Recording]:
    """Return all packaged recordings by their id."""
    text = _FOLDER.joinpath("manifest.json").read_bytes()
    return {each.id: each for each in msgspec.json.decode(text, type=list[Recording])}


def programme() -> list[Turn]:
    """Return who plays what, in order."""
    found = recordings()
    return [Turn(who, found[name], after) for who, name, after in _PROGRAMME]
