"""What a speech model is inside a worker process, and how one is named (pure).

A model is no stream: it hears a piece of audio at once. `local/streaming.py` makes streams
and whole recordings of it, whichever model it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from livebot.audio.pcm import Samples

RATE_HZ = 16_000
"""What every model here hears."""


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that is on this machine, ready to be loaded; travels to the worker as JSON.

    Attributes:
        family: Which code loads it: `moonshine` or `whisper`.
        name: What users call it, like `moonshine-tiny-en` or `large-v3-turbo`.
        folder: Where its files are.
        device: `auto`, `cpu` or `cuda`.
        compute_type: CTranslate2's, like `int8`; `auto` chooses what suits the device.
        threads: How many cores one pass may use, where the family can use more than one.
    """

    family: str
    name: str
    folder: str
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 1


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as the model wrote it.

    Attributes:
        text: With its punctuation, without white space.
        tokens: The tokens that make it up.
        joined: Whether it goes on with the word before, as an ending or a comma does.
    """

    text: str
    tokens: tuple[int, ...]
    joined: bool = False

    @property
    def letters(self) -> str:
        """Return what is heard of it: no punctuation, no capitals."""
        return "".join(c for c in self.text.casefold() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Detected:
    """The language that a model took speech for.

    Attributes:
        language: Its code (ISO 639-1).
        probability: 0 to 1; 1 where the model knows no other.
    """

    language: str
    probability: float


class Heard(Protocol):
    """A piece of audio that the model has heard."""

    def words(self, prefix: Sequence[HeardWord] = ()) -> list[HeardWord]:
        """Return the words after those of `prefix`, which are taken for granted."""

    def starts(
        self, prefix: Sequence[HeardWord], words: Sequence[HeardWord], *, after_s: float
    ) -> list[float]:
        """Return when each of `words`, which follow `prefix`, begins, in seconds.

        Never decreasing, and none of them before `after_s`.
        """


class SpeechModel(Protocol):
    """A loaded model. It does one thing at a time, in one thread."""

    @property
    def languages(self) -> Mapping[str, str]:
        """Return the codes of the languages it understands, and their English names."""

    @property
    def translates(self) -> bool:
        """Whether it can write down in English what is said in another language."""

    def listen(self, samples: Samples, *, language: str, translate: bool = False) -> Heard:
        """Hear a piece of audio.

        Args:
            samples: Mono float32 at `RATE_HZ`, 25 s at most for good results.
            language: One of `languages`.
            translate: Whether to write it down in English; only where the model `translates`.
        """

    def detect(self, samples: Samples) -> Detected:
        """Say which language is spoken.

        Args:
            samples: Mono float32 at `RATE_HZ`, with speech in it; 30 s at most are heard.
        """
