"""Tests of `livebot.media.reports`."""

import itertools

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from livebot.media.reports import MAX_SOURCES, ReceiverReports
from livebot.media.rtp import Packet

OURS, THEIRS = 1, 2


def packet(number: int, ssrc: int = THEIRS) -> Packet:
    """Return a packet of 20 ms."""
    return Packet(ssrc, number % 2**16, number * 960, 111, b"x")


def reported(reports: ReceiverReports, now: float = 0.0) -> list[RtcpReceiverInfo]:
    """Return what would be sent, as its receiver reads it."""
    (parsed,) = RtcpPacket.parse(reports.make(OURS, now))
    assert isinstance(parsed, RtcpRrPacket)
    assert parsed.ssrc == OURS
    return parsed.reports


def test_before_the_first_packet_there_is_nothing_to_say() -> None:
    """No report is sent then."""
    assert ReceiverReports().make(OURS, 0.0) == b""


def test_a_report_says_what_was_lost() -> None:
    """In all and of late, over the wrap of the numbers; the next one says what came since."""
    reports = ReceiverReports()
    for number in range(65_530, 65_560):
        if number % 10:
            reports.add(packet(number))
    (first,) = reported(reports)
    for number in range(65_560, 65_580):
        reports.add(packet(number))
    (second,) = reported(reports)

    # The very first one is not missed: nobody knows that it was sent.
    assert (first.packets_lost, first.fraction_lost) == (2, 2 * 256 // 29)
    assert first.highest_sequence & 0xFFFF == 65_559 % 2**16
    assert (second.packets_lost, second.fraction_lost) == (2, 0)


def test_a_report_lets_the_sender_know_the_round_trip() -> None:
    """It names the sender's last report, and how long ago that came."""
    reports = ReceiverReports()
    reports.add(packet(1))
    info = RtcpSenderInfo(
        ntp_timestamp=0x1111_2222_3333_4444, rtp_timestamp=0, packet_count=1, octet_count=1
    )
    reports.note(RtcpSrPacket(ssrc=THEIRS, sender_info=info), 100.0)

    (report,) = reported(reports, 101.5)
    assert report.lsr == 0x2222_3333
    assert report.dlsr == round(1.5 * 65_536)
    (much_later,) = reported(reports, 1e6)
    assert much_later.dlsr == 0


def test_only_so_many_sources_are_remembered() -> None:
    """The oldest goes; a report never grows beyond what one packet holds."""
    reports = ReceiverReports()
    for ssrc in range(10, 10 + 3 * MAX_SOURCES):
        reports.add(packet(1, ssrc))

    assert [report.ssrc for report in reported(reports)] == list(
        range(10 + 2 * MAX_SOURCES, 10 + 3 * MAX_SOURCES)
    )


def test_no_timestamps_and_no_clock_keep_a_report_from_being_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the jitter is beyond its field the most that fits is reported."""
    clock = itertools.count(0.0, 1e6)
    monkeypatch.setattr("aiortc.rtcrtpreceiver.time.time", lambda: next(clock))
    reports = ReceiverReports()
    for number in range(3):
        reports.add(packet(number))

    (report,) = reported(reports)
    assert report.jitter == 2**32 - 1
