"""Times as people and players write them."""

from livebot.transcripts.clock import short, stamp


def test_stamps() -> None:
    """Hours may be many."""
    assert stamp(0, decimal=",") == "00:00:00,000"
    assert stamp(3_661_001, decimal=".") == "01:01:01.001"
    assert stamp(360_000_000, decimal=".") == "100:00:00.000"


def test_short() -> None:
    """Hours only where there are some."""
    assert [short(at) for at in (0, 61.9, 3661)] == ["0:00", "1:01", "1:01:01"]
