"""Tests of `livebot.hearing.figures`."""

from structlog.testing import capture_logs

from livebot.errors import MediaError
from livebot.hearing.figures import LINES, Figures
from livebot.metrics import Metrics


def test_a_flood_of_faults_is_counted_but_not_logged() -> None:
    """Any participant can cause one, at a rate that would fill the disk."""
    figures = Figures(Metrics())
    with capture_logs() as logged:
        for _ in range(1000):
            figures.failed("media", MediaError("no"))

    assert len(logged) == LINES
    labels = {"component": "media", "type": "MediaError"}
    count = figures.metrics.registry.get_sample_value("transcription_errors_total", labels)
    assert count == 1000
