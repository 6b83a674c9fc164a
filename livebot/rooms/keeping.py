"""What is kept of a room (pure): what the request says, what the settings say, what follows."""

from dataclasses import dataclass

from livebot.errors import RequestError
from livebot.settings import Settings


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a request says.

    Attributes:
        words: Whether there is to be a transcript; None for what the settings say.
        audio: Whether everybody agreed that their audio is kept; None where nothing is said,
            which is no.
    """

    words: bool | None = None
    audio: bool | None = None

    def then(self, later: "Keeping") -> "Keeping":
        """Return what holds after a later request: what that says nothing of stays."""
        return Keeping(
            self.words if later.words is None else later.words,
            self.audio if later.audio is None else later.audio,
        )


AS_SET = Keeping()
"""Nothing is said."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept."""

    words: bool = False
    audio: bool = False


NOTHING = Kept()


def decide(settings: Settings, said: Keeping) -> Kept:
    """Return what is kept: audio only where settings, people and transcript all say so."""
    words = settings.transcripts == "on" if said.words is None else said.words
    return Kept(words, words and said.audio is True and settings.audio == "consent")


def check(settings: Settings, said: Keeping, *, can_keep: bool) -> None:
    """Check that what is asked for can be had.

    Args:
        settings: The backend's.
        said: What the request says.
        can_keep: Whether there is anywhere to keep it.

    Raises:
        RequestError: It cannot; the text says what to do.
    """
    if said.words and not can_keep:
        raise RequestError(
            "store: nothing is kept here; set LT_DATA_DIR to a folder that can be written,"
            " or leave store out"
        )
    if not said.audio:
        return
    if settings.audio != "consent":
        raise RequestError(
            "audioConsent: no audio is kept here; set LT_AUDIO=consent, or leave audioConsent out"
        )
    if not (decide(settings, said).words and can_keep):
        raise RequestError("audioConsent: audio is kept with a transcript only; add store: true")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased: all of a person, of a room, or of a transcript; one of them is given."""

    person: str = ""
    room: str = ""
    transcript: str = ""
