"""Audio that stops coming by a fault, told as a gap: the media server, or the way to it.

Rule: what was told without an end is told once more with its end, whatever happens.
"""

from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S

UNCERTAIN_S = 13.0
"""As above, while it may be the speaker who has gone: a browser that crashed or loads its page
again ends its connection like a media server that does. Who asks the server gets the answer
after 10 s that nobody sends, or another one before."""

AGAIN_S = 5.0
"""What goes on is told again after so much more."""

LEAST_S = 0.5
"""A shorter one is not told: it is less than a word, as when one connection replaces another."""


class Outage:
    """One speaker's outages, one after the other; all times are the room's."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._is_certain = False
        self._told_s = 0.0
        self._missing_s = 0.0
        self._last_end = 0.0

    @property
    def since(self) -> float | None:
        """Return the time of the last audio before this outage; None while there is none."""
        return self._since

    @property
    def is_told(self) -> bool:
        """Say whether readers know of it."""
        return self._told_s > 0

    def begin(self, since: float) -> None:
        """Note that no audio has come since; nothing changes when that is known."""
        if self._since is None:
            self._since = max(since, self._last_end)
            self._is_certain = False

    def confirm(self) -> None:
        """Note that it is no doing of the speaker's."""
        self._is_certain = True

    def dismiss(self) -> None:
        """Note that the speaker sends to nobody: then nothing was lost, unless by a fault."""
        if not self._is_certain and not self._told_s:
            self._since = None
            self._missing_s = 0.0

    def tick(self, now: float) -> list[Gap]:
        """Return what is to be told of an outage that lasts."""
        first_s = NOTICE_S if self._is_certain else UNCERTAIN_S
        due_s = self._told_s + AGAIN_S if self._told_s else first_s
        if self._since is None or now - self._since < due_s:
            return []
        self._told_s = now - self._since
        return [Gap(Cause.MEDIA, self._since, None, self._told_s)]

    def heard(self, now: float, seconds: float, lost_s: float, *, concealed: bool) -> list[Gap]:
        """Take a frame: real audio ends the outage, a guess at what was lost does not.

        Args:
            now: When it came.
            seconds: Its length.
            lost_s: What is missing before it.
            concealed: Whether it is a guess.
        """
        self._missing_s += lost_s
        if concealed:
            self._missing_s += seconds
            return []
        return self.over(now)

    def over(self, at: float) -> list[Gap]:
        """End the outage: there is audio again, or it is known that none is sent."""
        if self._since is None:
            return []
        length = at - self._since
        # Packets that were not sent (DTX) are not missing; a new connection cannot tell.
        lost_s = min(self._missing_s or length, length)
        gap = Gap(Cause.MEDIA, self._since, self._since + length, max(lost_s, self._told_s))
        is_told = bool(self._told_s) or length >= LEAST_S
        self._forget(self._since + length)
        return [gap] if is_told else []

    def flush(self, now: float) -> list[Gap]:
        """End it because nobody waits for audio any more; one that was not told stays so."""
        if self._told_s:
            return self.over(now)
        self._forget(now)
        return []

    def _forget(self, end: float) -> None:
        self._since = None
        self._told_s = self._missing_s = 0.0
        self._last_end = max(self._last_end, end)
