"""Metrics: names, and one registry per service."""

import re
from pathlib import Path

from livebot.metrics import Metrics

DOCUMENT = Path(__file__).parents[2] / "deploy" / "metrics.md"


def exposed(metrics: Metrics) -> dict[str, str]:
    """Return our metrics' names as Prometheus sees them, and their help texts."""
    found = {}
    for family in metrics.registry.collect():
        if family.name.startswith("transcription_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = family.documentation
    return found


def test_document_lists_every_metric() -> None:
    """The document has each metric with its help text. Spec: observability/Metrics."""
    rows = re.findall(
        r"^\| `(transcription_\w+)(?:\{[\w,]+\})?` \| \w+ \| (.+?) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )

    assert dict(rows) == exposed(Metrics())


def test_two_services_do_not_share() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()

    one.rooms_active.set(3)

    assert b"transcription_rooms_active 3.0" in one.render()
    assert b"transcription_rooms_active 0.0" in other.render()


def test_longest_lag_stays() -> None:
    """The maximum does not shrink. Spec: observability/Event loop."""
    metrics = Metrics()

    for seconds in (0.01, 0.2, 0.05):
        metrics.observe_lag(seconds)

    assert metrics.lag_max_s == 0.2
    assert b"transcription_event_loop_lag_seconds_max 0.2" in metrics.render()
    assert b"transcription_event_loop_lag_seconds_count 3.0" in metrics.render()


def test_process_metrics_are_there() -> None:
    """Memory and CPU of the process come along. Spec: observability/Metrics."""
    assert b"process_resident_memory_bytes" in Metrics().render()
