"""How one speaker's audio is doing, judged by what comes in; and when to ask for it anew.

Three things look alike from far away: a speaker who sends nothing (no microphone, or one
that was switched off), a media server that has forgotten us, and a path that is dead.
The first is no fault and cannot be told from the second, so both are asked for again,
politely, less and less often. The third can: on a living path something always comes,
reports of the media server every second and answers to our checks every four to six.
"""

from livebot.hearing.figures import MediaState

SILENT_S = 2.0
"""Without audio for so long, nothing is sent: somebody muted sends at least every 0.4 s."""

FLOWING_S = 2.0
"""Audio that came at most so long before the path went dead was lost with it."""

PATH_LOST_S = 5.0
"""A path on which audio came and then nothing at all for so long is dead."""

PATH_DEAD_S = 8.0
"""As above without audio, where the answers to our checks are all that comes."""

ASK_LOST_S = 15.0
"""When to give up a dead path. Asking ends it for good, and most heal before; one that never
does is noticed by the connection itself only after 30 s."""

ASK_SILENT_S = 10.0
"""When to ask a living path without audio for the first time."""

AGAIN_S = 20.0
"""The wait after the first request; doubles with each further one."""

MOST_S = 300.0
"""No wait is longer."""

STEADY_S = 5.0
"""Audio that comes for so long is back for good: the next loss is a new one."""


class Watchdog:
    """One speaker's connections, one after the other.

    Attributes:
        state: How the newest one is doing.
        since: Since when.
        alive_since: Since when something comes on it; None while nothing does.
    """

    def __init__(self) -> None:
        self.state = MediaState.CONNECTING
        self.since = 0.0
        self.alive_since: float | None = None
        self._connected_at: float | None = None
        self._quiet_s = 0.0
        self._not_before = 0.0
        self._again_s = AGAIN_S

    def restart(self, now: float) -> None:
        """Look at another connection, which is being made. What was asked before counts on."""
        self._connected_at = self.alive_since = None
        self._go(MediaState.CONNECTING, now)

    def look(self, now: float, audio_age_s: float, path_age_s: float) -> MediaState:
        """Judge a connection, once it is made, by how long nothing has come.

        Args:
            now: Seconds on any steady clock.
            audio_age_s: No audio; infinite before the first.
            path_age_s: Nothing at all; infinite before the first.
        """
        self._connected_at = now if self._connected_at is None else self._connected_at
        deaf_s = min(path_age_s, now - self._connected_at)
        patience_s = PATH_LOST_S if was_flowing(audio_age_s, path_age_s) else PATH_DEAD_S
        if deaf_s >= patience_s:
            self.alive_since, self._quiet_s = None, deaf_s
            self._go(MediaState.LOST, now)
            return self.state
        self.alive_since = now if self.alive_since is None else self.alive_since
        self._quiet_s = min(audio_age_s, now - self.alive_since)
        if self._quiet_s >= SILENT_S:
            self._go(MediaState.SILENT, now)
        elif audio_age_s < SILENT_S:
            self._go(MediaState.RECEIVING, now)
            if self.is_steady(now):
                self._not_before, self._again_s = now, AGAIN_S
        return self.state

    def is_steady(self, now: float) -> bool:
        """Say whether audio has been coming for a while."""
        return self.state is MediaState.RECEIVING and now - self.since >= STEADY_S

    def asks(self, now: float) -> bool:
        """Say whether to ask for the audio again now; it is then taken as done."""
        patience_s = _ASK_AFTER_S.get(self.state)
        if patience_s is None or self._quiet_s < patience_s or now < self._not_before:
            return False
        self._not_before = now + self._again_s
        self._again_s = min(2 * self._again_s, MOST_S)
        return True

    def _go(self, state: MediaState, now: float) -> None:
        if state is not self.state:
            self.state, self.since = state, now


def was_flowing(audio_age_s: float, path_age_s: float) -> bool:
    """Say whether audio came until nothing at all did."""
    return audio_age_s - path_age_s < FLOWING_S


_ASK_AFTER_S = {MediaState.LOST: ASK_LOST_S, MediaState.SILENT: ASK_SILENT_S}
