"""When a speaker holds an engine's stream: while there is sound, and a little longer.

An open stream costs the engine even in silence, and most people in a call are silent.
The gate looks at the level alone: it only has to tell a muted microphone from an open
one. Whether it is speech is the engine's business.
"""

from dataclasses import dataclass

OPEN_DBFS = -60.0
"""Louder than this may be speech: a quiet voice on a bad microphone is some 20 dB louder."""

HOLD_S = 10.0
"""A stream outlives this much silence, so that ordinary pauses do not end it. It is also
what the endpoint hears to bring out the last words."""

PRE_ROLL_S = 0.6
"""Audio from before the gate opened that is sent first: soft onsets belong to the word."""

ROTATE_AT = 0.8
ROTATE_LATEST = 0.97
"""From and until which share of its life a stream is changed for another, at a pause."""

PAUSE_S = 0.4
"""Quiet of this length is no part of a word."""

SWITCH_WITHIN_S = 3.0
"""So long a stream is kept in a language that is no longer wanted, when there is no pause."""


def is_session_over(session_s: float | None, age_s: float, quiet_s: float) -> bool:
    """Say whether a stream is to be changed for another before the endpoint ends it.

    Args:
        session_s: How long the endpoint lets a stream live; None for any time.
        age_s: How old this one is.
        quiet_s: For how long there has been no speech.
    """
    if session_s is None or age_s < ROTATE_AT * session_s:
        return False
    return quiet_s >= PAUSE_S or age_s >= ROTATE_LATEST * session_s


def is_switch_due(asked_s: float, quiet_s: float) -> bool:
    """Say whether a stream is to be changed for one in another language.

    Args:
        asked_s: How long ago that language was asked for.
        quiet_s: For how long there has been no speech.
    """
    return quiet_s >= PAUSE_S or asked_s >= SWITCH_WITHIN_S


@dataclass(slots=True)
class SpeechGate:
    """Open from the first sound until `hold_s` of silence have passed."""

    open_dbfs: float = OPEN_DBFS
    hold_s: float = HOLD_S
    _left_s: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a stream is to be held."""
        return self._left_s > 0

    def feed(self, level_dbfs: float, duration_s: float) -> bool:
        """Take in one chunk's level; return whether the gate is open after it."""
        if level_dbfs > self.open_dbfs:
            self._left_s = self.hold_s
        else:
            self._left_s = max(0.0, self._left_s - duration_s)
        return self.is_open

    def shut(self) -> None:
        """Close it: the next sound opens it again."""
        self._left_s = 0.0
