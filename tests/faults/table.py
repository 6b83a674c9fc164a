"""The table that people read."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.faults.account import RUN, Account, Told
from tests.faults.scenario import Scenario, Seen

_PLACE = re.compile(r"room \S+: |(?:\d+\.){3}\d+:\d+ ")
_SECONDS = re.compile(r"\b\d+(?:\.\d+)? s\b")

_LONGEST = 200

HEAD = (
    "fault", "words spoken", "delivered", "lost", "told, counted, silent",
    "announced to the reader", "counted", "back after", "others late by", "health check",
    "machine late by",
)  # fmt: skip


def row(scenario: Scenario, seen: Seen | Exception, calm: Seen | None) -> list[str]:
    """Return one scenario's row; *calm* is the call without a fault, if there was one."""
    if isinstance(seen, Exception):
        return [scenario.fault, *["?"] * (len(HEAD) - 3), _why(seen), "?"]
    accounts = list(seen.accounts.values())
    spoken, lost = sum(a.spoken for a in accounts), sum(a.words_lost for a in accounts)
    extra = seen.bobs_extra_delay_s(calm)
    return [
        scenario.fault,
        str(spoken),
        str(spoken - lost),
        str(lost),
        _told(accounts),
        _notices(accounts),
        _causes(seen.gap_s),
        "never" if seen.recovered_s is None else f"{seen.recovered_s:.1f} s",
        "-" if not scenario.spares_bob or extra is None else f"{max(extra, 0):.1f} s",
        _reasons(seen.reasons),
        f"{seen.machine_late_s:.2f} s",
    ]


def _why(fault: BaseException) -> str:
    """Return why a scenario could not be performed, in a line."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return " ".join(f"not performed: {fault!r}".split())[:_LONGEST]


def _told(accounts: Sequence[Account]) -> str:
    """Return to whom it was told that words are lost; single ones are the engine's noise."""
    runs = [run for who in accounts for run in who.lost if len(run.words) >= RUN]
    counts = [sum(len(run.words) for run in runs if run.told is told) for told in Told]
    return ", ".join(map(str, counts))


def _notices(accounts: Sequence[Account]) -> str:
    texts = Counter(notice.text.strip() for who in accounts for notice in who.notices)
    return " ".join(text if n == 1 else f"{n} x {text}" for text, n in texts.items()) or "-"


def _causes(gap_s: Mapping[str, float]) -> str:
    return ", ".join(f"{cause} {s:.1f} s" for cause, s in gap_s.items() if s >= 0.05) or "-"


def _reasons(reasons: Sequence[str]) -> str:
    """Return each reason once, whatever room, address or number of seconds it names."""
    general = (_PLACE.sub("", _SECONDS.sub("… s", reason)) for reason in reasons)
    return "; ".join(dict.fromkeys(general)) or "healthy"


def plain(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the table for a terminal."""
    every = [HEAD, *rows]
    widths = [max(len(each[i]) for each in every) for i in range(len(HEAD))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip()
        for each in every
    ]


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the table for a document."""
    every = [HEAD, ["---"] * len(HEAD), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in each)} |" for each in every]
