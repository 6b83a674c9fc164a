"""Whether a session's client is there, and what follows if it is not (pure)."""

from dataclasses import dataclass
from enum import Enum, auto

FIRST_AUDIO_S = 30.0
"""Who opened a session and gives no sign for so long has no microphone."""

QUIET_S = 6.0
"""After so long without audio what was said so far is completed: no pause of the speaker comes
that would do it. Longer than the messages of any recorder, shorter than endpoints of speech
recognition stay open without audio."""

LIFE_S = 24 * 3600.0
"""The longest session."""


class Due(Enum):
    """What is to be done now."""

    COMPLETE = auto()
    """No audio comes: the words so far are to be completed."""

    LEFT = auto()
    """The client is to be taken for gone."""

    GIVEN_UP = auto()
    """It does not come back: the session is to be finished."""

    OLD = auto()
    """The session is as old as any may become."""


@dataclass(slots=True)
class Presence:
    """One session's client. All times are of one steady clock.

    Attributes:
        idle_s: After how long without a sign the client is taken for gone.
        resume_s: For how long the session waits for it.
        born_at: When the session began.
        left_at: Since when the client is gone; None while it is here.
    """

    idle_s: float
    resume_s: float
    born_at: float
    left_at: float | None = None
    _sign_at: float = 0.0
    _audio_at: float | None = None
    _is_complete: bool = True
    _has_begun: bool = False

    def __post_init__(self) -> None:
        self._sign_at = self.born_at

    @property
    def is_attached(self) -> bool:
        """Whether there is a client."""
        return self.left_at is None

    def came(self, now: float) -> None:
        """Note that a client is here."""
        self.left_at, self._sign_at = None, now

    def sign(self, now: float) -> None:
        """Note that the client lives."""
        self._sign_at, self._has_begun = now, True

    def audio(self, now: float) -> None:
        """Note that audio came."""
        self._audio_at = now
        self._is_complete = False
        self.sign(now)

    def completed(self) -> None:
        """Note that all words so far are being completed."""
        self._is_complete = True

    def left(self, now: float) -> None:
        """Note that the client is gone."""
        if self.left_at is None:
            self.left_at = now

    def silent_since(self, now: float) -> float:
        """Return since when audio may be missing: a client was cut off then, or had paused."""
        if self._audio_at is None or self.left_at is None:
            return now
        is_cut = self.left_at - self._audio_at < QUIET_S
        return self._audio_at if is_cut else self.left_at

    def due(self, now: float) -> Due | None:
        """Return what is to be done; to be asked again until there is nothing."""
        found = min(self._deadlines(), key=lambda each: each[0])
        return found[1] if now >= found[0] else None

    @property
    def next_deadline(self) -> float:
        """Return when to ask, if nothing is noted before."""
        return min(at for at, _ in self._deadlines())

    def _deadlines(self) -> list[tuple[float, Due]]:
        found = [(self.born_at + LIFE_S, Due.OLD)]
        if self.left_at is not None:
            found.append((self.left_at + self.resume_s, Due.GIVEN_UP))
        else:
            idle_s = self.idle_s if self._has_begun else min(self.idle_s, FIRST_AUDIO_S)
            found.append((self._sign_at + idle_s, Due.LEFT))
        if self._audio_at is not None and not self._is_complete:
            found.append((self._audio_at + QUIET_S, Due.COMPLETE))
        return found
