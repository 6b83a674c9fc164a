"""How many live sessions the local engine carries: `python -m tests.benchmarks.live_capacity`.

A real service with its embedded model; people who read real speech aloud at its own pace, each
something else first. So many are carried as have their finals at most `LATE_S` after they were
said (95 %), without a gap, and with as many words as one alone.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livebot.audio.pcm import RATE_HZ
from tests.support.live_client import LiveClient
from tests.support.recorded_speech import recording
from tests.support.service_process import service
from tests.support.wer import total, wer

NAMES = ("two_cities", "jfk", "libri_02_spk1188", "libri_05_spk1284", "ls_61", "libri_01_spk1089")
PAUSE_S = 0.7
SPOKEN_S = 40.0

LATE_S = 4.0
"""Captions that come later are no help to who follows a conversation."""

WORSE = 0.05
"""So much higher may the word error rate be than with one alone."""

SPREAD_S = 4.0
MOST = 512


@dataclass(frozen=True)
class Result:
    """What became of some people.

    Attributes:
        people: How many.
        late_s: Of 95 % of the finals, at most.
        gaps: Stretches that were lost.
        errors: The word error rate.
    """

    people: int
    late_s: float
    gaps: int
    errors: float

    def is_carried(self, alone: "Result") -> bool:
        """Say whether the service carried them."""
        return self.late_s <= LATE_S and not self.gaps and self.errors <= alone.errors + WORSE

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"{self.people:4} sessions: 95 % of finals within {self.late_s:.1f} s,"
            f" {self.gaps} gaps, word error rate {self.errors:.3f}"
        )


def piece(number: int) -> tuple[bytes, str]:
    """Return what somebody reads aloud, and its text."""
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
    parts: list[np.ndarray] = []
    texts: list[str] = []
    turn = number
    while sum(map(len, parts)) < SPOKEN_S * RATE_HZ:
        found = recording(NAMES[turn % len(NAMES)])
        parts += [found.audio, pause]
        texts.append(found.text)
        turn += 1
    return (np.concatenate(parts) * 32_767).astype("<i2").tobytes(), " ".join(texts)


async def measure(base: str, people: int, pieces: Sequence[tuple[bytes, str]]) -> Result:
    """Let so many people speak at once."""
    said = [pieces[number % len(pieces)] for number in range(people)]
    clients = [LiveClient(base, audio, query={"interim": "true"}) for audio, _ in said]

    async def speak(number: int) -> None:
        await asyncio.sleep(number * SPREAD_S / people)
        await clients[number].run()

    async with asyncio.TaskGroup() as group:
        for number in range(people):
            group.create_task(speak(number))
    late = sorted(seconds for client in clients for seconds in client.lateness)
    errors = [wer(text, client.text) for client, (_, text) in zip(clients, said, strict=True)]
    return Result(
        people,
        late[len(late) * 95 // 100],
        sum(len(client.gaps) for client in clients),
        total(errors).rate,
    )


async def search(folder: Path, most: int) -> int:
    """Return how many are carried."""
    pieces = [await asyncio.to_thread(piece, number) for number in range(len(NAMES))]
    async with service(folder, LT_MAX_LIVE=str(MOST)) as running:

        async def carries(people: int) -> bool:
            found = await measure(running.url, people, pieces)
            sys.stdout.write(f"{found}\n")
            sys.stdout.flush()
            return found.is_carried(alone)

        alone = await measure(running.url, 1, pieces)
        sys.stdout.write(f"{alone}\n")
        good, bad = 1, 2
        while bad <= most and await carries(bad):
            good, bad = bad, bad * 2
        bad = min(bad, most + 1)
        while bad - good > max(1, good // 8):
            middle = (good + bad) // 2
            if await carries(middle):
                good = middle
            else:
                bad = middle
    return good


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=MOST, help="try no more than so many")
    most = parser.parse_args().most
    with tempfile.TemporaryDirectory() as folder:
        carried = asyncio.run(search(Path(folder), most))
    sys.stdout.write(f"the local engine carries {carried} live sessions here\n")


if __name__ == "__main__":
    main()
