"""The command line.

Exit codes: 0 it worked, 1 it failed, 2 it was used wrongly or the settings do not work.
"""

import asyncio
import os
import platform
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NoReturn

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from livebot import __version__, doctor, logs
from livebot.doctor import Finding
from livebot.errors import ConfigError, LivebotError
from livebot.settings import Settings, load_settings
from livebot.stt import registry

OK, FAILED, MISUSED = 0, 1, 2

cli = typer.Typer(
    name="livebot",
    help="Live captions for Nextcloud Talk calls.",
    epilog="Settings come from the environment, a .env file and the YAML file named by"
    " LT_CONFIG; deploy/README.md lists them. Begin with: livebot demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of PORT.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Instead of LT_ENGINE, like local, or kyutai,local.")
    ] = None,
) -> None:
    """Run the bot until SIGTERM: join calls on request and caption them.

    Example: LT_HPB_URL=wss://hpb.example.com LT_INTERNAL_SECRET=... livebot serve
    """
    given = _given(host=host, port=port, engine=engine)
    settings = load_settings(for_call=True, **given)
    # WebRTC takes a while to import, so only who needs it waits.
    from livebot import app

    raise typer.Exit(app.run(settings))


@cli.command()
def demo(
    *,
    once: Annotated[bool, typer.Option(help="Play the speech once, then exit.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per caption.")
    ] = False,
    host: Annotated[str, typer.Option(help="Where the page is.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where the page is; 0 is any free port.")] = 0,
) -> None:
    """Caption a call between two recorded speakers; needs no account and no network.

    Example: livebot demo --once --json
    """
    from livebot.demo.main import run

    raise typer.Exit(run(once=once, as_json=as_json, host=host, port=port))


@cli.command()
def stt_server(
    *,
    host: Annotated[str, typer.Option(help="Listen here.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Listen here; 0 is any free port.")] = 8090,
    engine: Annotated[str, typer.Option(help="The engine to serve.")] = "local",
    dialect: Annotated[str, typer.Option(help="How words are written: rust or python.")] = "rust",
    language: Annotated[str | None, typer.Option(help="Instead of LT_DEFAULT_LANGUAGE.")] = None,
    max_streams: Annotated[int, typer.Option(help="Streams at the same time.")] = 8,
) -> None:
    """Serve an engine over the WebSocket of the Kyutai service, for bots on other machines.

    Callers must show MODAL_KEY and MODAL_SECRET where they are set.

    Example: livebot stt-server --port 8090, and elsewhere
    STT_STREAM_URL=ws://stt.example.com:8090/v1/stream livebot serve
    """
    settings = load_settings(**_given(language=language))
    logs.configure(settings.log_level, settings.log_format)
    from livebot.stt.server import serve as serve_engine

    async def run() -> None:
        async with (
            registry.load(engine, settings.engine_options(engine)) as running,
            serve_engine(
                running,
                host=host,
                port=port,
                dialect=dialect,
                key=_revealed(settings.modal_key),
                secret=_revealed(settings.modal_secret),
                max_streams=max_streams,
                language=settings.language,
            ) as bound,
        ):
            logs.get("stt-server").info("started", engine=engine, host=host, port=bound)
            await _stopped()

    asyncio.run(run())


@cli.command()
def engines(
    *,
    check: Annotated[bool, typer.Option(help="Also try each one.")] = True,
) -> None:
    """List the speech-to-text engines and try them; fails where a chosen one does not work.

    LT_ENGINE chooses one, or several in order of preference, like kyutai,local.

    Example: livebot engines --no-check
    """
    settings = load_settings()
    _only_warn()
    chosen = settings.engine_names
    failed = False
    for name in sorted({*chosen, *registry.available()}):
        mark = _mark(name, chosen)
        if not check:
            _out().print(f"{name}{mark}")
            continue
        finding = asyncio.run(doctor.check_engine(settings, name))
        _print(finding, mark)
        failed |= name in chosen and not finding.ok
    raise typer.Exit(FAILED if failed else OK)


@cli.command(name="doctor")
def examine() -> None:
    """Show the settings, secrets hidden, and try each connection; say how to cure what fails.

    Example: livebot doctor
    """
    settings = load_settings()
    _only_warn()
    table = Table("variable", "value", title="Effective settings")
    for variable, value in doctor.effective(settings):
        table.add_row(variable, value)
    _out().print(table)
    raise typer.Exit(asyncio.run(_examine(settings)))


@cli.command()
def version() -> None:
    """Print the version.

    Example: livebot version
    """
    _out().print(f"livebot {__version__}, Python {platform.python_version()}")


def main() -> NoReturn:
    """Run the command line; faults of the outside world become red lines, bugs a traceback."""
    code = OK
    try:
        cli()
    except* ConfigError as found:
        _complain(found)
        code = MISUSED
    except* LivebotError as found:
        _complain(found)
        code = FAILED
    except* BrokenPipeError:
        if not _reader_left():
            raise
        code = FAILED
    sys.exit(code)


def _complain(found: BaseExceptionGroup[LivebotError]) -> None:
    """Print what is wrong on stderr, one line each."""
    console = Console(stderr=True, highlight=False)
    for exc in _leaves(found):
        for line in exc.problems if isinstance(exc, ConfigError) else (str(exc),):
            console.print(Text(line, style="red"), soft_wrap=True)


def _reader_left() -> bool:
    """Say whether nobody reads stdout any more, as with `| head -1`; other pipes are our bugs."""
    pipe = select.poll()
    pipe.register(sys.stdout, 0)
    if not pipe.poll(0):
        return False
    # What is still to be written would be complained of at the interpreter's end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _leaves(found: BaseExceptionGroup[LivebotError]) -> Iterator[LivebotError]:
    for exc in found.exceptions:
        if isinstance(exc, BaseExceptionGroup):
            yield from _leaves(exc)
        else:
            yield exc


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
    _out().print(line, soft_wrap=True)
    if finding.cure:
        _out().print(Text(f"     {finding.cure}", style="yellow"), soft_wrap=True)


def _mark(name: str, chosen: Sequence[str]) -> str:
    """Return what to show behind an engine's name."""
    if name not in chosen:
        return ""
    return " (chosen)" if len(chosen) == 1 else f" (choice {chosen.index(name) + 1})"


def _only_warn() -> None:
    """Keep the log out of a command's own output."""
    logs.configure("warning", "console", stream=sys.stderr)


def _out() -> Console:
    return Console(highlight=False)


def _given(**options: object) -> dict[str, Any]:
    """Return the options that were used."""
    return {name: value for name, value in options.items() if value is not None}


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


async def _stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
