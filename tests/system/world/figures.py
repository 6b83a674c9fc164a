"""What the session measured, and its table."""

import statistics
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from tests.support.wer import Wer, total
from tests.system.world.bot import Bot, Load
from tests.system.world.member import Transcript
from tests.system.world.recording import bare_words
from tests.system.world.speaker import Said


@dataclass(slots=True)
class Figures:
    """Everything measured in one session; one of them, shared by all tests."""

    words: dict[str, tuple[Wer, Wer]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    first_audio: dict[int, tuple[float, float]] = field(default_factory=dict)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    cpu_per_speaker: float | None = None
    memory_per_speaker_mb: float | None = None
    memory_idle_mb: float | None = None

    async def note_bot(self, bot: Bot) -> None:
        """Take over what *bot* measured itself so far."""
        name = "transcription_first_audio_seconds"
        self.first_audio[bot.process.pid] = (
            await bot.metric(f"{name}_sum"),
            await bot.metric(f"{name}_count"),
        )

    def note_stall(self, stall_s: float, starved_s: float) -> None:
        """Note a stall of a bot's loop during which it waited for a processor for *starved_s*."""
        self.stalls.append((stall_s, max(0.0, stall_s - starved_s)))

    def note_load(self, idle: Load, before: Load, after: Load, seconds: float, n: int) -> None:
        """Note what *n* people who spoke for *seconds* cost."""
        self.cpu_per_speaker = (after.cpu_s - before.cpu_s) / seconds / n
        self.memory_per_speaker_mb = (after.memory_mb - idle.memory_mb) / n
        self.memory_idle_mb = idle.memory_mb

    def table(self) -> list[str]:
        """Return what was measured, one line each."""
        rows = [*self._word_rows(), *self._time_rows(), *self._load_rows()]
        width = max((len(name) for name, _ in rows), default=0)
        return [f"{name:<{width}}  {value}" for name, value in rows]

    def _word_rows(self) -> list[tuple[str, str]]:
        rows = [
            (f"words, {where}", f"{got}; engine on the file {own.rate:.1%}")
            for where, (got, own) in self.words.items()
        ]
        if rows:
            got = total(g for g, _ in self.words.values())
            own = total(o for _, o in self.words.values())
            lost = f"{got.wrong - own.wrong:+d} of {got.words} ({got.rate - own.rate:+.1%})"
            rows.append(("words wrong, calls against the engine on the files", lost))
        return rows

    def _time_rows(self) -> list[tuple[str, str]]:
        rows = []
        if count := sum(c for _, c in self.first_audio.values()):
            mean = sum(s for s, _ in self.first_audio.values()) / count
            rows.append(("requestoffer to first audio", f"mean {mean:.3f} s of {count:.0f}"))
        if len(self.latencies) > 1:
            p95 = statistics.quantiles(self.latencies, n=20)[-1]
            median = statistics.median(self.latencies)
            text = f"median {median:.2f} s, p95 {p95:.2f} s of {len(self.latencies)} words"
            rows.append(("end of a spoken word to its caption at the reader", text))
        if self.stalls:
            longest, own = (max(column) for column in zip(*self.stalls, strict=True))
            text = f"{longest:.3f} s; {own:.3f} s without waiting for a processor"
            rows.append(("longest stall of the bot's event loop", text))
        return rows

    def _load_rows(self) -> list[tuple[str, str]]:
        if self.cpu_per_speaker is None:
            return []
        return [
            ("processor per speaking person", f"{self.cpu_per_speaker:.1%} of a core"),
            ("memory per speaking person", f"{self.memory_per_speaker_mb:.1f} MiB"),
            ("memory of the bot and its workers, idle", f"{self.memory_idle_mb:.0f} MiB"),
        ]


def word_latencies(said: Said, captions: list[Transcript]) -> list[float]:
    """Return for each word understood how long after its end its caption arrived, in seconds."""
    spoken = [word for word in said.what.words if bare_words(word.text)]
    shown = [(word, caption.at) for caption in captions for word in bare_words(caption.text)]
    matcher = SequenceMatcher(
        None, [bare_words(w.text)[0] for w in spoken], [w for w, _ in shown], autojunk=False
    )
    return [
        shown[block.b + i][1] - said.when(spoken[block.a + i].end)
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    ]
