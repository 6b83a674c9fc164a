"""What a soak saw, as tables for a terminal and for a document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

from tests.soak.usage import Held, Usage
from tests.support.trend import trend

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading during the call.

    Attributes:
        at: When, in seconds.
        usage: What the bot and its workers hold.
        people: How many it listens to.
        rooms: How many calls it is in.
        reasons: Why it is not healthy.
    """

    at: float
    usage: Usage
    people: float
    rooms: float
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.people:.0f} people, {self.rooms:.0f} rooms, {self.usage.memory_mb:.1f} MiB and"
            f" {self.usage.workers_mb:.1f} MiB in workers, {self.usage.held}"
            f" {'; '.join(self.reasons)}"
        )


@dataclass(slots=True)
class Report:
    """The tables of the session, by title."""

    tables: dict[str, list[str]] = field(default_factory=dict)


_FIGURES: tuple[tuple[str, Callable[[Usage], float]], ...] = (
    ("memory of the bot, MiB", lambda usage: usage.memory_mb),
    ("memory of its workers, MiB", lambda usage: usage.workers_mb),
    *((f.name, lambda usage, name=f.name: float(getattr(usage.held, name))) for f in fields(Held)),
)


def growth(begin: Usage, end: Usage, samples: Sequence[Sample]) -> list[str]:
    """Return a table: idle before and after, and the mean and slope in between."""
    times = [sample.at for sample in samples]
    rows = [("", "idle before", "idle after", "in the call, mean", "slope per hour")]
    for name, read in _FIGURES:
        found = trend(times, [read(sample.usage) for sample in samples])
        slope = f"{found.slope * _HOUR_S:+.1f} ± {2 * found.error * _HOUR_S:.1f}"
        rows.append((name, short(read(begin)), short(read(end)), f"{found.mean:.1f}", slope))
    for name, values in (
        ("people listened to", [sample.people for sample in samples]),
        ("rooms", [sample.rooms for sample in samples]),
    ):
        found = trend(times, values)
        slope = f"{found.slope * _HOUR_S:+.1f} ± {2 * found.error * _HOUR_S:.1f}"
        rows.append((name, "0", "0", f"{found.mean:.1f}", slope))
    return table(rows)


def short(value: float) -> str:
    """Return a figure, with one decimal if it is not whole."""
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as documents have it; its first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [" | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return [f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])]
