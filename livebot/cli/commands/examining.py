"""Commands that say what is there and whether it works."""

import asyncio
import platform
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from livebot import __version__, doctor
from livebot.cli.codes import FAILED, OK
from livebot.cli.console import only_warn, out
from livebot.doctor import Finding
from livebot.settings import Settings, load_settings
from livebot.stt import registry


def engines(
    *,
    check: Annotated[bool, typer.Option(help="Also try each one.")] = True,
) -> None:
    """List the speech-to-text engines and try them; fails where a chosen one does not work.

    LT_ENGINE chooses one, or several in order of preference, like kyutai,local.

    Example: livebot engines --no-check
    """
    settings = load_settings()
    only_warn()
    chosen = settings.engine_names
    failed = False
    for name in sorted({*chosen, *registry.available()}):
        mark = _mark(name, chosen)
        if not check:
            out().print(f"{name}{mark}")
            continue
        finding = asyncio.run(doctor.check_engine(settings, name))
        _print(finding, mark)
        failed |= name in chosen and not finding.ok
    raise typer.Exit(FAILED if failed else OK)


def examine() -> None:
    """Show the settings, secrets hidden, and try each connection; say how to cure what fails.

    Example: livebot doctor
    """
    settings = load_settings()
    only_warn()
    table = Table("variable", "value", title="Effective settings")
    for variable, value in doctor.effective(settings):
        table.add_row(variable, value)
    out().print(table)
    raise typer.Exit(asyncio.run(_examine(settings)))


def version() -> None:
    """Print the version.

    Example: livebot version
    """
    out().print(f"livebot {__version__}, Python {platform.python_version()}")


async def _examine(settings: Settings) -> int:
    failed = False
    async for finding in doctor.examine(settings):
        _print(finding)
        failed |= not finding.ok
    return FAILED if failed else OK


def _print(finding: Finding, mark: str = "") -> None:
    """Print one line, green or red, and the cure below it."""
    line = Text.assemble(
        ("ok   " if finding.ok else "FAIL ", "bold green" if finding.ok else "bold red"),
        f"{finding.what}{mark}: {finding.detail}",
    )
    out().print(line, soft_wrap=True)
    if finding.cure:
        out().print(Text(f"     {finding.cure}", style="yellow"), soft_wrap=True)


def _mark(name: str, chosen: Sequence[str]) -> str:
    """Return what to show behind an engine's name."""
    if name not in chosen:
        return ""
    return " (chosen)" if len(chosen) == 1 else f" (choice {chosen.index(name) + 1})"
