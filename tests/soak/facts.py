"""What happened in a soak, in figures for people."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.soak.call import Call
from tests.soak.crowd import Turn
from tests.soak.report import Sample, short
from tests.support.wer import Wer, total, wer
from tests.system.world.bot import Bot

_COUNTERS = (
    ("packets", "packets", "outcome"),
    ("seconds announced as lost", "gap_seconds", "cause"),
    ("stalls", "stalls", "component"),
    ("errors", "errors", "type"),
    ("connections begun anew", "reconnects", "reason"),
)
"""What it is, the counter, its label."""

_LOUD = {"warning", "error", "critical"}


def understood(call: Call) -> dict[str, Wer]:
    """Compare what people said with their captions, by session; who broke off is left out."""
    return {
        turn.session: wer(" ".join(r.text for r in turn.said), call.reader.text_of(turn.session))
        for turn in call.crowd.turns
        if turn.said and not turn.broke_off
    }


def unheard(call: Call) -> list[Turn]:
    """Return who said something to its end and has no caption."""
    return [t for t in call.crowd.turns if t.said and not call.reader.of(t.session)]


def of_call(call: Call, samples: Sequence[Sample]) -> list[tuple[str, str]]:
    """Return rows about people and captions."""
    minutes = call.by_minute
    broke_off = sum(turn.broke_off for turn in call.crowd.turns)
    first, last = samples[0], samples[-1]
    cores = (last.usage.cpu_s - first.usage.cpu_s) / (last.at - first.at)
    ill = Counter(reason for sample in samples for reason in sample.reasons)
    return [
        ("minutes", f"{call.seconds / 60:.1f}"),
        ("people who came and went", f"{len(call.crowd.turns)}, {call.crowd.largest} at once"),
        ("of these left in the middle of a sentence", str(broke_off)),
        ("calls captioned beside it, one after the other", str(len(call.other_rooms))),
        (
            "captions",
            f"{len(call.reader.transcripts)}, {min(minutes, default=0)} a minute at least",
        ),
        ("words", str(total(understood(call).values())).partition("[")[0].strip()),
        ("processor, all of the bot", f"{cores:.2f} cores"),
        ("readings in which it was not healthy", f"{_not_healthy(samples)}: {_list(ill)}"),
    ]


async def counted(bot: Bot) -> dict[str, Counter[str]]:
    """Return what the bot has counted since its start."""
    found = {
        what: Counter(await bot.by_label(f"transcription_{metric}_total", label))
        for what, metric, label in _COUNTERS
    }
    return {**found, "warnings and errors in its log": _loud(bot.process.log)}


def of_bot(
    before: Mapping[str, Counter[str]], after: Mapping[str, Counter[str]]
) -> list[tuple[str, str]]:
    """Return rows about what the bot counted between two looks."""
    return [(what, _list(after[what] - before[what])) for what in after]


def _loud(log: Path) -> Counter[str]:
    """Count a log's warnings and errors by what they say."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            found[f"no JSON: {line[:60]}"] += 1
            continue
        if entry["level"] in _LOUD:
            found[f"{entry['component']}: {entry['message']}"] += 1
    return found


def _not_healthy(samples: Sequence[Sample]) -> str:
    return f"{sum(bool(sample.reasons) for sample in samples)} of {len(samples)}"


def _list(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {short(count)}" for name, count in counts.items()) or "none"
