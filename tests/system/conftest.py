"""The world of the system tests: one for the whole session, in a network of its own."""

import secrets
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.system.world.bot import Bot, bot
from tests.system.world.figures import Figures
from tests.system.world.fixtures import network
from tests.system.world.hpb import Hpb, hpb
from tests.system.world.process import Process
from tests.system.world.turn import Turn, turn

_FIGURES = Figures()


@pytest.fixture(scope="session")
def folder(network: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """Return where servers keep their files."""
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="session")
def the_hpb(folder: Path) -> Iterator[Hpb]:
    """Run Janus, the signaling server and Nextcloud's stand-in."""
    with hpb(folder / "hpb") as found:
        yield found


@pytest.fixture(scope="session")
def the_turn(folder: Path) -> Iterator[Turn]:
    """Run coturn."""
    with turn(folder / "turn") as found:
        yield found


@pytest.fixture(scope="session")
def the_bot(folder: Path, the_hpb: Hpb) -> Iterator[Bot]:
    """Run the bot with its embedded engine."""
    with bot(folder / "bot", the_hpb) as found:
        yield found


@pytest.fixture
def room() -> str:
    """Return the token of a room nobody was in yet."""
    return secrets.token_hex(4)


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Return the session's figures; they are printed at its end."""
    return _FIGURES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - the hook's signature
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what every server said last when a test fails."""
    report = yield
    if report.failed:
        report.sections += [
            (f"{process.name} ({process.log})", process.tail()) for process in Process.started
        ]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured as one table."""
    if rows := _FIGURES.table():
        terminalreporter.section("measured in a real call")
        for row in rows:
            terminalreporter.line(row)


__all__ = ["network"]
