"""The suite's runner: all chosen scenarios at the start, side by side, each in a world apart."""

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults import document, table
from tests.faults.scenario import Scenario, Seen
from tests.faults.scenarios import SCENARIOS, Results, calm
from tests.faults.stage import aside, perform, talk_of
from tests.faults.verdict import problems
from tests.support.wer import normalized
from tests.system.world.fixtures import network
from tests.system.world.hpb import Hpb, hpb

AT_ONCE = int(os.environ.get("FAULTS_AT_ONCE", "4"))
"""Most of a scenario is waiting: four keep two cores busy, and their words are late but come."""

CALM_AT_ONCE = min(AT_ONCE, 3)
"""Where somebody's words must not be late, the machine must have time."""

AGAIN = 6
"""So many scenarios that failed beside others are performed again, alone: what merely had to share
two cores then shows what it can do. The first result is printed."""

_RESULTS: dict[str, Seen | Exception] = {}


@pytest.fixture(scope="session")
def results(
    network: None,  # noqa: ARG001 - must be there
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Results:
    """Let every chosen scenario happen; return what was seen of each."""
    chosen = {item.name for item in request.session.items}
    scenarios = [scenario for scenario in SCENARIOS if f"test_fault[{scenario.name}]" in chosen]
    asyncio.run(_perform(scenarios, tmp_path_factory.mktemp("faults")))
    return _RESULTS


async def _perform(scenarios: Sequence[Scenario], folder: Path) -> None:
    # What takes a second at its first use.
    normalized("")
    for user in ("alice", "bob"):
        talk_of(user)
    # What blocks waits in threads, several in each scenario.
    await asyncio.to_thread((folder / "again").mkdir)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(8 * AT_ONCE))
    async with aside(hpb(folder / "shared")) as shared:
        for is_calm, at_once in ((True, CALM_AT_ONCE), (False, AT_ONCE)):
            limit = asyncio.Semaphore(at_once)
            async with asyncio.TaskGroup() as group:
                for scenario in scenarios:
                    if scenario.spares_bob is is_calm:
                        run = _one(scenario, folder, shared, limit)
                        group.create_task(run, name=scenario.name)
        failed = [scenario for scenario in scenarios if problems(scenario, _RESULTS)]
        for scenario in failed[:AGAIN]:
            print(f"{scenario.name}: {problems(scenario, _RESULTS)}; once more, alone")  # noqa: T201
            await _one(scenario, folder / "again", shared, asyncio.Semaphore())


async def _one(scenario: Scenario, folder: Path, shared: Hpb, limit: asyncio.Semaphore) -> None:
    async with limit:
        since = time.monotonic()
        try:
            _RESULTS[scenario.name] = await perform(scenario, folder / scenario.name, shared)
        except Exception as exc:  # noqa: BLE001 - shown by the scenario's own test
            _RESULTS[scenario.name] = exc
        print(f"{scenario.name}: {time.monotonic() - since:.0f} s", flush=True)  # noqa: T201


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and write it down where `FAULTS_TABLE` names a file."""
    rows = [
        table.row(s, _RESULTS[s.name], calm(_RESULTS)) for s in SCENARIOS if s.name in _RESULTS
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    for line in table.plain(rows):
        terminalreporter.line(line)
    if (file := os.environ.get("FAULTS_TABLE")) and len(rows) == len(SCENARIOS):
        Path(file).write_text(document.text(rows), encoding="utf-8")


__all__ = ["network"]
