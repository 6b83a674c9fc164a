"""How long a process waited for a processor, which no code of its own can help.

Two cores carry the whole world here, and are other machines' as well. Where the bot's event
loop is late, this tells whether it was blocked by the bot, or had to wait for Chromium or
for the host.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_EVERY_S = 0.05


@dataclass(slots=True)
class Starvation:
    """What was seen of one process's main thread.

    Attributes:
        longest_s: The most it waited within a tenth of a second or a little more.
    """

    longest_s: float = 0.0
    _waits: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def note(self, waited_s: float) -> None:
        """Take in how long it waited since the last look."""
        self._waits = [*self._waits[1:], waited_s]
        self.longest_s = max(self.longest_s, sum(self._waits))


@asynccontextmanager
async def starvation(pid: int) -> AsyncIterator[Starvation]:
    """Watch the process *pid* meanwhile."""
    seen = Starvation()
    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(_watch(pid, seen), name="starvation")
        yield seen
        watcher.cancel()


async def _watch(pid: int, seen: Starvation) -> None:
    before = _waited_s(pid)
    while True:
        await asyncio.sleep(_EVERY_S)
        now = _waited_s(pid)
        seen.note(now - before)
        before = now


def _waited_s(pid: int) -> float:
    """Return for how long the main thread of *pid* was ready to run and did not, at most."""
    _, waited_ns, _ = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()
    return int(waited_ns) / 1e9 + _stolen_s()


def _stolen_s() -> float:
    """Return for how long the host ran something else on processors that had work to do.

    Whose work it was is not told: it counts as that of whoever asks.
    """
    with Path("/proc/stat").open(encoding="ascii") as stat:
        stolen = int(stat.readline().split()[8])
    return stolen / os.sysconf("SC_CLK_TCK")
