"""What becomes of one speaker's audio on its way to us, and whom to tell.

The status gets a state and a sentence, readers get gaps, metrics get packets; whether to ask
for the audio again is returned to whoever does the asking.
"""

from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from math import inf

from livebot.captions.gap import Gap
from livebot.hearing.figures import Figures, MediaState
from livebot.media.peer import RATE_HZ, Frame, PacketCounts, Peer
from livebot.rooms.outage import Outage
from livebot.rooms.packet_loss import PacketLoss
from livebot.rooms.watchdog import Watchdog, was_flowing

NOBODY_SENDS = "client_not_found"
"""The signaling server's code, after 10 s in which the speaker sent to nobody."""

_OUTCOMES = tuple(field.name for field in fields(PacketCounts))


class Finding(StrEnum):
    """What a look at a connection found; asking again has it as its reason in the metrics."""

    STALLED = "stalled"
    """Its path is dead: ask again."""

    SILENT = "silent"
    """Nothing is sent: ask again, in case that the media server has forgotten us."""

    STEADY = "steady"
    """Audio is back for good."""


class MediaWatch:
    """One speaker's; all times are the room's.

    Args:
        figures: What is counted, and what the status says.
        on_gap: Called with audio that is lost; must not block.
    """

    def __init__(self, figures: Figures, on_gap: Callable[[Gap], None]) -> None:
        self._figures = figures
        self._on_gap = on_gap
        self._peer: Peer | None = None
        self._counted = PacketCounts()
        self._watchdog = Watchdog()
        self._outage = Outage()
        self._loss = PacketLoss()
        self._heard_at = 0.0
        self._fault: str | None = None
        self._is_steady = False

    def opened(self, peer: Peer, now: float) -> None:
        """Look at a connection that is being made."""
        self._peer = peer
        self._counted = PacketCounts()
        self._watchdog.restart(now)
        self._figures.media = MediaState.CONNECTING

    def ended(self) -> None:
        """Take note that the connection brings nothing more, though audio is wanted."""
        if self._peer is None:
            return
        self._count_packets(self._peer)
        if was_flowing(self._peer.audio_age_s, self._peer.path_age_s):
            self._outage.begin(self._heard_at)
        self._loss.restart()
        self._peer = None
        self._update_absent()

    def failed(self, fault: str) -> None:
        """Show why there is no audio, until there is a way again."""
        self._fault = self._figures.media_error = fault
        self._outage.confirm()

    def refused(self, code: str) -> None:
        """Take note of why the media server does not offer the audio that was asked for."""
        if code != NOBODY_SENDS:
            self._outage.confirm()
        elif self._peer is None:
            self._outage.dismiss()
            self._update_absent()

    def heard(self, frame: Frame, now: float) -> None:
        """Take note of a frame."""
        seconds, lost_s = frame.samples.size / RATE_HZ, frame.lost / RATE_HZ
        if self._outage.since is None:
            gaps = self._loss.heard(now, seconds, lost_s, concealed=frame.concealed)
        else:
            gaps = self._outage.heard(now, seconds, lost_s, concealed=frame.concealed)
        self._heard_at = now
        self._figures.media = MediaState.RECEIVING
        self._fault = self._figures.media_error = None
        self._tell(gaps)

    def look(self, now: float) -> Finding | None:
        """Look how it is; to be called every half second or so."""
        finding = None
        if self._peer is not None and self._peer.connected.is_set():
            finding = self._look_at(self._peer, now)
        else:
            self._explain(now, "the connection has ended")
        if self._peer is None or self._watchdog.alive_since is None:
            self._tell(self._outage.tick(now))
        self._tell(self._loss.tick(now))
        return finding

    def flush(self, now: float) -> None:
        """End what was told: nobody waits for audio any more."""
        self._tell([*self._outage.flush(now), *self._loss.flush()])

    def _look_at(self, peer: Peer, now: float) -> Finding | None:
        self._count_packets(peer)
        state = self._watchdog.look(now, peer.audio_age_s, peer.path_age_s)
        before, self._figures.media = self._figures.media, state
        if state is MediaState.LOST:
            return self._look_at_lost(peer, now, is_news=before is not state)
        self._fault = self._figures.media_error = None
        alive_since = self._watchdog.alive_since
        if state is MediaState.SILENT and alive_since is not None:
            # A microphone that was switched off meanwhile: from then on nothing was lost.
            self._tell(self._outage.over(alive_since))
        if self._watchdog.asks(now):
            if peer.audio_age_s < inf:
                self._figures.metrics.stalls.labels("media").inc()
            return Finding.SILENT
        was_steady, self._is_steady = self._is_steady, self._watchdog.is_steady(now)
        return Finding.STEADY if self._is_steady and not was_steady else None

    def _look_at_lost(self, peer: Peer, now: float, *, is_news: bool) -> Finding | None:
        if was_flowing(peer.audio_age_s, peer.path_age_s):
            self._outage.begin(self._heard_at)
            self._outage.confirm()
        if is_news:
            self._figures.metrics.stalls.labels("media").inc()
        self._explain(now, "the connection is dead")
        return Finding.STALLED if self._watchdog.asks(now) else None

    def _explain(self, now: float, why: str) -> None:
        """Show for how long there has been no audio, where nothing better is known."""
        since = self._outage.since
        if self._fault is None and since is not None and self._outage.is_told:
            text = f"no audio from the media server for {now - since:.0f} s: {why}"
            self._figures.media_error = text

    def _update_absent(self) -> None:
        is_lost = self._outage.since is not None
        self._figures.media = MediaState.LOST if is_lost else MediaState.WAITING

    def _count_packets(self, peer: Peer) -> None:
        for outcome in _OUTCOMES:
            count = getattr(peer.counts, outcome)
            more = count - getattr(self._counted, outcome)
            if more:
                self._figures.metrics.packets.labels(outcome).inc(more)
                setattr(self._counted, outcome, count)

    def _tell(self, gaps: list[Gap]) -> None:
        for gap in gaps:
            self._on_gap(gap)
