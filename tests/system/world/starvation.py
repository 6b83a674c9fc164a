"""How long a process waited for a processor, which no code of its own can help.

Two cores carry the whole world here, and are other machines' as well. Where the bot's event
loop is late, this tells whether it was blocked by the bot, or had to wait for Chromium or
for the host.
"""

import asyncio
import os
import re
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
    waited, stolen = _waited_s(pid), _stolen_s()
    while True:
        await asyncio.sleep(_EVERY_S)
        before, waited = waited, _waited_s(pid)
        taken, stolen = stolen, _stolen_s()
        # Which processor it was on is not told: at worst the one that was taken most.
        seen.note(waited - before + max(b - a for a, b in zip(taken, stolen, strict=True)))


def _waited_s(pid: int) -> float:
    """Return for how long the main thread of *pid* was ready to run and did not."""
    _, waited_ns, _ = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()
    return int(waited_ns) / 1e9


def _stolen_s() -> list[float]:
    """Return for how long the host ran something else on each processor that had work to do."""
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    ticks = [int(line.split()[8]) for line in lines if re.match(r"cpu\d", line)]
    return [each / os.sysconf("SC_CLK_TCK") for each in ticks]
