"""Five hundred peers, one after the other, against a real media server: nothing grows."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.soak.report import Report, table
from tests.soak.subscriber import Asked
from tests.support.trend import Trend, trend
from tests.system.world.hpb import Hpb
from tests.system.world.process import Process
from tests.system.world.speaker import speaking
from tests.system.world.tape import Tape

PEERS = int(os.environ.get("SOAK_PEERS", "500"))
SPEAKERS = 4
EVERY = PEERS // 20
WARM_UP = PEERS // 5
"""So many peers, and caches are filled and allocators have their size."""

GROWTH_KB = 5.0
"""For each peer. One that stays has 220 KiB, one Opus decoder 18."""

OBJECTS = 1.0
"""For each peer; one that stays has hundreds."""

EACH_WITHIN_S = 2.0

_ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + PEERS * EACH_WITHIN_S)]


async def test_many_peers_leave_nothing_behind(the_hpb: Hpb, folder: Path, report: Report) -> None:
    """After each of them there is what was there before the first: tasks, threads, sockets."""
    room = secrets.token_hex(4)
    async with AsyncExitStack() as stack:
        for number in range(SPEAKERS):
            who = speaking(the_hpb, room, f"guest {number}", tape=Tape())
            await stack.enter_async_context(who)
        readings = await _readings(the_hpb, folder, room)

    settled = [reading for reading in readings if reading["peers"] >= WARM_UP]
    memory, objects = _slope(settled, "memory_mb"), _slope(settled, "objects")
    each = f"{_per(memory, 1024, 'KiB')}, {_per(objects, 1, 'objects')}"
    report.tables[f"{PEERS} peers, one after the other"] = [
        *_table(readings),
        f"for each after the first {WARM_UP}: {each}",
    ]
    assert readings[-1]["peers"] == PEERS
    assert all(reading["held"] == readings[0]["held"] for reading in readings)
    assert memory.slope * 1024 < GROWTH_KB
    assert objects.slope < OBJECTS


async def _readings(hpb: Hpb, folder: Path, room: str) -> list[dict[str, Any]]:
    """Let the subscriber run; return what it printed."""
    asked = Asked(hpb.websocket, hpb.internal_secret, hpb.nextcloud, room, SPEAKERS, PEERS, EVERY)
    options = [f"--{name}={value}" for name, value in asdict(asked).items()]
    argv = [sys.executable, "-m", "tests.soak.subscriber", *options]
    with Process("subscriber", argv, folder=folder, cwd=_ROOT) as subscriber:
        code = await asyncio.to_thread(subscriber.wait, PEERS * EACH_WITHIN_S)
        lines = subscriber.log.read_text(encoding="utf-8").splitlines()
    assert code == 0, subscriber.tail()
    return [json.loads(line) for line in lines if line.startswith('{"peers"')]


def _table(readings: Sequence[dict[str, Any]]) -> list[str]:
    shown = [readings[0], *(r for r in readings[1:] if r["peers"] % (4 * EVERY) == 0)]
    rows = [("peers", "memory, MiB", "objects", *readings[0]["held"])]
    rows += [
        (
            str(r["peers"]),
            f"{r['memory_mb']:.1f}",
            str(r["objects"]),
            *(str(count) for count in r["held"].values()),
        )
        for r in shown
    ]
    return table(rows)


def _slope(readings: Sequence[dict[str, Any]], name: str) -> Trend:
    return trend([r["peers"] for r in readings], [r[name] for r in readings])


def _per(found: Trend, unit: float, name: str) -> str:
    return f"{found.slope * unit:+.2f} ± {2 * found.error * unit:.2f} {name}"
