"""What a reader does not see: words that were spoken, or may have been, and are lost."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Where words were lost; also the label of `transcription_gap_seconds_total`."""

    SIGNALING = "signaling"
    """We were out of the room: the signaling server was away, or our way to it."""

    MEDIA = "media"
    """A speaker's audio stopped coming: media server, TURN server, or the way between."""

    NETWORK = "network"
    """Single packets were lost, too many of them to be made up for."""

    ENGINE = "engine"
    """No engine took the audio before there was no more room for it."""

    SHUTDOWN = "shutdown"
    """We were told to stop, and the last words did not come out in time."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of one speaker's time line of which words may be missing.

    It is told when it is noticed, with `end` None, and again when it is over, with the same
    `cause` and `start`; a short one only when it is over.

    Attributes:
        cause: Why.
        start: Seconds on the room's time line.
        end: As `start`; None while it goes on.
        lost_s: Seconds of audio lost so far. Less than the stretch where only a part of
            its packets was lost, or where part of it was silence.
    """

    cause: Cause
    start: float
    end: float | None
    lost_s: float
