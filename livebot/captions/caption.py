"""What a reader sees."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["append", "replace"]
"""How words are shown; see `segmenter.py`."""

MODES: tuple[Mode, ...] = ("append", "replace")


@dataclass(frozen=True, slots=True)
class Caption:
    """A piece of one speaker's words.

    Attributes:
        text: Never empty, without surrounding white space.
        final: False for text that the next caption of the same speaker replaces.
        start: Seconds on the room's time line where its first word starts; None if unknown.
        end: As `start`, where its last word ends.
        mode: For whom it is: readers of the other mode get the same words in other captions.
    """

    text: str
    final: bool
    start: float | None = None
    end: float | None = None
    mode: Mode = "append"
