"""The world of the soak, and its tables at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.report import Report
from tests.system.world.fixtures import network
from tests.system.world.hpb import Hpb, hpb

_REPORT = Report()


@pytest.fixture(autouse=True)
def _no_blocking_calls() -> None:
    """Watch nothing: livebot runs in processes of its own here, and people are many."""


@pytest.fixture(scope="session")
def folder(network: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """Return where servers keep their files."""
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="session")
def the_hpb(folder: Path) -> Iterator[Hpb]:
    """Run Janus, the signaling server and Nextcloud's stand-in."""
    with hpb(folder / "hpb") as found:
        yield found


@pytest.fixture(scope="session")
def report() -> Report:
    """Return where figures go that are printed at the end."""
    return _REPORT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for title, lines in _REPORT.tables.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.line(line)


__all__ = ["network"]
