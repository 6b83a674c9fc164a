"""What is counted about one speaker: for the room's status and for the metrics."""

import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from livebot.errors import LivebotError
from livebot.metrics import Metrics

log = structlog.get_logger("speaker")

LINES, PER_S = 5, 10.0
"""So many faults are logged in so many seconds: any participant can cause a flood of them."""


class MediaState(StrEnum):
    """Whether a speaker's audio comes."""

    WAITING = "waiting"
    """The media server was asked and has not offered it."""

    CONNECTING = "connecting"
    RECEIVING = "receiving"

    SILENT = "silent"
    """The path lives, and nothing is sent."""

    LOST = "lost"
    """It came and does not any more, by a fault."""


@dataclass(slots=True)
class Figures:
    """One speaker's figures; every change goes to the metrics as well.

    Attributes:
        metrics: The sums over all speakers.
        media: Whether audio comes.
        stream: How the engine's stream is: idle, opening, open, finishing.
        audio_s: Seconds of audio received.
        dropped_s: Seconds that did not fit into the backlog.
        silent_s: Seconds of silence put where nothing was sent.
        captions: Pieces of text captioned; each once, whatever the modes of the readers.
        last_error: The newest fault.
        engine_error: Why there are no words now; None while the engine works.
        media_error: Why there is no audio now; None while there is a way to the media server.
    """

    metrics: Metrics
    media: MediaState = MediaState.WAITING
    stream: str = "idle"
    audio_s: float = 0.0
    dropped_s: float = 0.0
    silent_s: float = 0.0
    captions: int = 0
    last_error: str | None = None
    engine_error: str | None = None
    media_error: str | None = None
    _logged: deque[float] = field(default_factory=lambda: deque(maxlen=LINES))

    def received(self, seconds: float) -> None:
        """Count audio that arrived."""
        self.audio_s += seconds
        self.metrics.audio_received.inc(seconds)

    def dropped(self, seconds: float) -> None:
        """Count audio that had to go unheard."""
        self.dropped_s += seconds
        self.metrics.audio_dropped.inc(seconds)

    def silent(self, total_seconds: float) -> None:
        """Note how much silence was put in so far."""
        self.metrics.audio_silent.inc(max(0.0, total_seconds - self.silent_s))
        self.silent_s = total_seconds

    def failed(self, component: str, error: LivebotError) -> None:
        """Note a fault that the speaker survives."""
        self.last_error = str(error)
        self.metrics.errors.labels(component, type(error).__name__).inc()
        now = time.monotonic()
        if len(self._logged) < LINES or now - self._logged[0] > PER_S:
            self._logged.append(now)
            log.warning("speaker_failed", part=component, error=str(error))
