"""RTCP receiver reports: how a sender learns what arrives of what it sends (RFC 3550, 6.4.2)."""

from dataclasses import dataclass, field

from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpSrPacket

from livebot.media.frame import RATE_HZ
from livebot.media.rtp import Packet

MAX_SOURCES = 8
"""A speaker has one at a time; of more, the oldest is forgotten. A report has room for 31."""

_FRACTION = 1 << 16
_MOST_JITTER = (1 << 32) - 1
_FORGOTTEN_S = 65_536
"""The delay since a sender's report has 16 bits before the point, and 16 behind it."""


@dataclass(slots=True)
class _Source:
    statistics: StreamStatistics = field(default_factory=lambda: StreamStatistics(RATE_HZ))
    report: int = 0  # when the sender's last report was made, by its clock
    reported_at: float = 0.0  # when that came, by ours


class ReceiverReports:
    """What is to be reported about one peer's packets."""

    def __init__(self) -> None:
        self._sources: dict[int, _Source] = {}

    def add(self, packet: Packet) -> None:
        """Note a packet, before anything is done with it."""
        source = self._sources.get(packet.ssrc)
        if source is None:
            if len(self._sources) == MAX_SOURCES:
                del self._sources[next(iter(self._sources))]
            source = self._sources[packet.ssrc] = _Source()
        # It looks at two names only, and ours are the same.
        source.statistics.add(packet)  # type: ignore[arg-type]

    def note(self, report: RtcpSrPacket, now: float) -> None:
        """Note a sender's report; from when it came the sender computes the round trip."""
        if source := self._sources.get(report.ssrc):
            source.report = report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
            source.reported_at = now

    def make(self, ssrc: int, now: float) -> bytes:
        """Return the packet to send, in the name of `ssrc`; empty when nothing came yet."""
        reports = [
            RtcpReceiverInfo(
                ssrc=theirs,
                fraction_lost=source.statistics.fraction_lost,
                packets_lost=source.statistics.packets_lost,
                highest_sequence=source.statistics.max_seq or 0,
                # Timestamps that jump about, or our own clock, take it beyond its field.
                jitter=min(source.statistics.jitter, _MOST_JITTER),
                lsr=source.report,
                dlsr=self._delay(source, now),
            )
            for theirs, source in self._sources.items()
        ]
        return bytes(RtcpRrPacket(ssrc=ssrc, reports=reports)) if reports else b""

    @staticmethod
    def _delay(source: _Source, now: float) -> int:
        elapsed = now - source.reported_at
        return int(elapsed * _FRACTION) if source.report and elapsed < _FORGOTTEN_S else 0
