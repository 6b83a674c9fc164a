"""Who spoke when (pure)."""

import msgspec


class Turn(msgspec.Struct, frozen=True):
    """One person speaks, without a pause worth the name. Turns of two people may overlap.

    Attributes:
        start: In seconds from the beginning of the recording.
        end: In seconds; after `start`.
        speaker: Counted from 0 in the order in which they are first heard.
    """

    start: float
    end: float
    speaker: int
